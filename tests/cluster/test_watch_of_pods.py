"""The operator's watch of Pods on a real API server, whose kubelet is this test."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from dev.cluster.plane import Cluster
from kubernetes.client import ApiClient
from kubernetes.config import new_client_from_config  # pyright: ignore[reportUnknownVariableType]

from enso_operator.controller.pod_watch import pod_watch
from enso_operator.sessions.pods.names import JOB_UID_LABEL
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.compaction import compact
from tests.support.eventually import until, until_async
from tests.support.fault_proxy import FaultProxy, on

pytestmark = pytest.mark.anyio
Document = dict[str, Any]
WATCHES, LISTS = on("watch", "pods"), on("list", "pods")


def pod(name: str, label: str = JOB_UID_LABEL) -> Document:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {label: "uid-of-a-job"}},
        "spec": {
            "automountServiceAccountToken": False,
            "containers": [{"name": "session", "image": "none"}],
            "schedulingGates": [{"name": "enso.dev/release"}],
        },
    }


class Shown:
    """What a watch has shown of each Pod."""

    def __init__(self) -> None:
        self.kinds: dict[str, list[str | None]] = {}
        self.labels: dict[str, dict[str, str]] = {}

    def on_event(self, kind: str | None, shown: Document) -> None:
        assert "managedFields" not in shown["metadata"]
        name = shown["metadata"]["name"]
        self.kinds.setdefault(name, []).append(kind)
        self.labels[name] = shown["metadata"]["labels"]


@asynccontextmanager
async def watching(client: ApiClient, *namespaces: str) -> AsyncGenerator[Shown]:
    shown = Shown()
    task = asyncio.create_task(pod_watch(client, namespaces, shown.on_event).run())
    try:
        yield shown
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def eventually(condition: Callable[[], bool]) -> None:
    async def is_so() -> bool:
        return condition()

    await until_async(is_so)


async def change(ns: ClusterNamespace, *names: str) -> None:
    """Change the Pods named, delete `deleted`, and create `created`."""
    for name in names:
        await asyncio.to_thread(ns.kubectl, "label", "pod", name, "studio/shot=010")
    force = ("--force", "--grace-period=0")
    await asyncio.to_thread(ns.kubectl, "delete", "pod", "deleted", *force)
    await create(ns, "created")


async def create(ns: ClusterNamespace, *names: str, label: str = JOB_UID_LABEL) -> None:
    items = [pod(name, label) for name in names]
    document = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    await asyncio.to_thread(ns.kubectl, "create", "-f", "-", stdin=document)


async def test_pods_of_jobs_are_shown_and_no_others(
    ns: ClusterNamespace, client: ApiClient
) -> None:
    await create(ns, "listed", "deleted")
    await create(ns, "stranger", label="studio/job-uid")
    async with watching(client, ns.namespace) as shown:
        await eventually(lambda: len(shown.kinds) == 2)
        await change(ns, "listed", "stranger")
        await eventually(lambda: "created" in shown.kinds)
    assert {name: (kinds[0], kinds[-1]) for name, kinds in shown.kinds.items()} == {
        "listed": (None, "MODIFIED"),
        "deleted": (None, "DELETED"),
        "created": ("ADDED", "ADDED"),
    }


async def test_what_happens_while_the_connection_is_lost_is_shown(
    ns: ClusterNamespace, proxy: FaultProxy
) -> None:
    await create(ns, "changed", "deleted")
    with new_client_from_config(str(proxy.kubeconfig)) as client:  # type: ignore[no-untyped-call]
        async with watching(client, ns.namespace) as shown:
            await eventually(lambda: len(shown.kinds) == 2 and proxy.count(WATCHES) == 1)
            lists = proxy.count(LISTS)
            await asyncio.to_thread(proxy.away)
            await change(ns, "changed")
            await asyncio.to_thread(proxy.back)
            await eventually(lambda: "created" in shown.kinds)
    assert shown.kinds["deleted"][-1] == "DELETED"
    assert "studio/shot" in shown.labels["changed"]
    assert proxy.count(LISTS) == lists, "it can go on where it was"


async def test_what_an_api_server_has_forgotten_is_listed(own_cluster: Cluster) -> None:
    cluster = own_cluster
    with (
        FaultProxy(cluster.kubeconfig) as proxy,
        new_client_from_config(str(proxy.kubeconfig)) as client,  # type: ignore[no-untyped-call]
    ):
        ns = ClusterNamespace(cluster, client, "default")
        await create(ns, "changed", "deleted")
        async with watching(client) as shown:
            await eventually(lambda: len(shown.kinds) == 2 and proxy.count(WATCHES) == 1)
            await asyncio.to_thread(proxy.away)
            await change(ns, "changed")
            await asyncio.to_thread(forget, cluster)
            await asyncio.to_thread(proxy.back)
            await eventually(lambda: "created" in shown.kinds)
            await create(ns, "later")
            await eventually(lambda: "later" in shown.kinds)
    assert shown.kinds["created"] == [None]
    assert "studio/shot" in shown.labels["changed"]
    assert shown.kinds["later"] == ["ADDED"]


def forget(cluster: Cluster) -> None:
    """Restart the API server after a compaction: it knows nothing of what was before."""
    cluster.kill("kube-apiserver")
    compact(cluster)
    cluster.revive()
    until(lambda: cluster.kubectl("get", "namespace", "default"))
