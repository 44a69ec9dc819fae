"""What happens to a job's Pods after their work: on an API server, whose kubelet is this test."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from kubernetes.client import ApiClient

from enso_operator.kube.connection import configuration_of
from enso_operator.kube.loop_client import LoopClient
from enso_operator.sessions.pods import pod_reaper
from enso_operator.sessions.pods.pod_reaper import PodReaper
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.support.eventually import until
from tests.support.pods import session_pod
from tests.support.resources import of_scripts

Document = dict[str, Any]
NAME = "shot-main-1-abcde"


def container(name: str) -> Document:
    return {"name": name, "image": "none"}


def pod_with_a_proxy(ns: ClusterNamespace) -> Document:
    """Return a Pod whose session has ended, and whose proxy runs on."""
    labels = {"enso.dev/job": "shot", "enso.dev/job-uid": ns.get()["metadata"]["uid"]}
    ns.apply(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": NAME, "labels": labels},
            "spec": {
                "automountServiceAccountToken": False,
                "nodeName": "render-12",
                "containers": [container("session"), container("proxy")],
            },
        }
    )
    states: dict[str, Document] = {
        "session": {"terminated": {"exitCode": 0}},
        "proxy": {"running": {}},
    }
    fields: Document = {"imageID": "", "image": "none", "ready": False, "restartCount": 0}
    told: list[Document] = [
        {"name": name, "state": state, **fields} for name, state in states.items()
    ]
    status: Document = {"phase": "Running", "containerStatuses": told}
    patched = json.dumps({"status": status})
    ns.kubectl("patch", "pod", NAME, "--subresource=status", "--type=merge", "-p", patched)
    return pod(ns)


def pod(ns: ClusterNamespace) -> Document:
    found: Document = json.loads(ns.kubectl("get", "pod", NAME, "-o", "json"))
    return found


def commits_to(ns: ClusterNamespace, uid: str) -> None:
    """Write into the job's status which Pod is its open session, as its operator does."""
    run = {"name": "main-1", "session": "main", "uid": uid, "scripts": ["open"]}
    run["openTime"] = "2026-11-26T12:00:00Z"
    patched = json.dumps({"status": {"ledger": {"run": run if uid else None}}})
    ns.kubectl("patch", "ensojob", "shot", "--subresource=status", "--type=merge", "-p", patched)


def test_a_deletion_in_the_foreground_waits_for_the_pod(ns: ClusterNamespace) -> None:
    ns.apply(of_scripts({"name": "open"}))
    document = session_pod(ns.get())
    document["metadata"]["finalizers"] = ["enso.test/cleans-up"]
    ns.apply(document)
    ns.kubectl("delete", "ensojob", "shot", "--cascade=foreground", "--wait=false")

    def all_pods() -> list[Document]:
        items: list[Document] = json.loads(ns.kubectl("get", "pods", "-o", "json"))["items"]
        return items

    until(lambda: "deletionTimestamp" in all_pods()[0]["metadata"])
    assert ns.names() == ["shot"], "it is gone, and its Pod is not"
    ns.kubectl(
        *("patch", "pod", document["metadata"]["name"], "--type=merge"),
        *("-p", '{"metadata": {"finalizers": null}}'),
    )
    until(lambda: not ns.names())
    assert all_pods() == []


def test_a_pod_that_a_proxy_keeps_up_is_ended_when_its_end_is_written(
    ns: ClusterNamespace, client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pod_reaper, "LINGER_SECONDS", 0.05)
    ns.apply(of_scripts({"name": "open"}))
    given = pod_with_a_proxy(ns)
    commits_to(ns, given["metadata"]["uid"])
    mark = ns.cluster.audit.mark()

    def asked() -> int:
        return sum(request.resource == "ensojobs" for request in ns.requests(mark))

    async def watched() -> None:
        loop_client = LoopClient(configuration_of(client))
        pods = PodReaper(loop_client)
        pods.on_event("MODIFIED", given)
        await asyncio.to_thread(until, lambda: asked() > 1)
        assert "activeDeadlineSeconds" not in pod(ns)["spec"], "how it ended is not written yet"
        await asyncio.to_thread(commits_to, ns, "")
        await asyncio.to_thread(until, lambda: pod(ns)["spec"].get("activeDeadlineSeconds") == 1)
        pods.on_event("MODIFIED", pod(ns))
        await loop_client.close_connections()

    asyncio.run(watched())
    assert [
        request.verb
        for request in ns.requests(mark)
        if request.resource == "pods" and request.is_write
    ] == ["patch"]
