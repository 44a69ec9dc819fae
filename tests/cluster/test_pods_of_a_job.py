"""What happens to a job's Pods after their work: on an API server, whose kubelet is this test."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from kubernetes.client import ApiClient

from enso_operator.sessions.pods import lingering
from enso_operator.sessions.pods.lingering import Lingering
from tests.cluster.desk import Desk
from tests.support.operators import until
from tests.support.pods import session_pod
from tests.support.resources import of_scripts

Document = dict[str, Any]
NAME = "shot-main-1-abcde"


def container(name: str) -> Document:
    return {"name": name, "image": "none"}


def pod_with_a_proxy(desk: Desk) -> Document:
    """Return a Pod whose session has ended, and whose proxy runs on."""
    labels = {"enso.dev/job": "shot", "enso.dev/job-uid": desk.get()["metadata"]["uid"]}
    desk.apply(
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
    desk.kubectl("patch", "pod", NAME, "--subresource=status", "--type=merge", "-p", patched)
    return pod(desk)


def pod(desk: Desk) -> Document:
    found: Document = json.loads(desk.kubectl("get", "pod", NAME, "-o", "json"))
    return found


def commits_to(desk: Desk, uid: str) -> None:
    """Write into the job's status which Pod is its open session, as its operator does."""
    run = {"name": "main-1", "session": "main", "uid": uid, "scripts": ["open"]}
    run["openTime"] = "2026-11-26T12:00:00Z"
    patched = json.dumps({"status": {"ledger": {"run": run if uid else None}}})
    desk.kubectl("patch", "ensojob", "shot", "--subresource=status", "--type=merge", "-p", patched)


def test_a_deletion_in_the_foreground_waits_for_the_pod(desk: Desk) -> None:
    desk.apply(of_scripts({"name": "open"}))
    document = session_pod(desk.get())
    document["metadata"]["finalizers"] = ["enso.test/cleans-up"]
    desk.apply(document)
    desk.kubectl("delete", "ensojob", "shot", "--cascade=foreground", "--wait=false")

    def all_pods() -> list[Document]:
        items: list[Document] = json.loads(desk.kubectl("get", "pods", "-o", "json"))["items"]
        return items

    until(lambda: "deletionTimestamp" in all_pods()[0]["metadata"])
    assert desk.names() == ["shot"], "it is gone, and its Pod is not"
    desk.kubectl(
        *("patch", "pod", document["metadata"]["name"], "--type=merge"),
        *("-p", '{"metadata": {"finalizers": null}}'),
    )
    until(lambda: not desk.names())
    assert all_pods() == []


def test_a_pod_that_a_proxy_keeps_up_is_ended_when_its_end_is_written(
    desk: Desk, client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lingering, "LINGER_SECONDS", 0.05)
    desk.apply(of_scripts({"name": "open"}))
    given = pod_with_a_proxy(desk)
    commits_to(desk, given["metadata"]["uid"])
    mark = desk.cluster.audit.mark()

    def asked() -> int:
        requests = desk.cluster.audit.since(mark)
        return sum(
            one.resource == "ensojobs" and one.namespace == desk.namespace for one in requests
        )

    async def watched() -> None:
        pods = Lingering(client)
        pods.saw("MODIFIED", given)
        await asyncio.to_thread(until, lambda: asked() > 1)
        assert "activeDeadlineSeconds" not in pod(desk)["spec"], "how it ended is not written yet"
        await asyncio.to_thread(commits_to, desk, "")
        await asyncio.to_thread(until, lambda: pod(desk)["spec"].get("activeDeadlineSeconds") == 1)
        pods.saw("MODIFIED", pod(desk))

    asyncio.run(watched())
    requests = [one for one in desk.cluster.audit.since(mark) if one.namespace == desk.namespace]
    assert [one.verb for one in requests if one.resource == "pods" and one.is_write] == ["patch"]
