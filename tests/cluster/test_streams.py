"""Streams of a real API server, which has no node: the tests are its kubelet."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from dev.cluster.plane import Cluster
from kubernetes.config import new_client_from_config  # pyright: ignore[reportUnknownVariableType]

from enso_operator.kube.client import Forbidden, NoSuchObject
from enso_operator.kube.streams import ApiStreams, streams_of
from job_execution_framework.domain.errors import Unavailable
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.kubeconfigs import of_stranger
from tests.support.fault_proxy import FaultProxy, answer, before, on
from tests.support.resources import library_script

pytestmark = pytest.mark.anyio
LOG = on("get", "pods/log")


def asked_with(kubeconfig: Path) -> ApiStreams:
    with new_client_from_config(str(kubeconfig)) as client:  # type: ignore[no-untyped-call]
        return streams_of(client)


async def log(streams: ApiStreams, namespace: str, *, is_following: bool = True) -> bytes:
    pieces = streams.log(namespace, "shot-main-1", "session", is_following=is_following)
    return b"".join([piece async for piece in pieces])


async def test_a_log_comes_as_the_kubelet_tells_it(ns: ClusterNamespace, proxy: FaultProxy) -> None:
    proxy.add(LOG, answer(200, "--- open, attempt 1"))
    assert b"--- open, attempt 1" in await log(asked_with(proxy.kubeconfig), ns.namespace)
    assert b"/pods/shot-main-1/log?container=session&follow=true" in proxy.sent()


@pytest.mark.parametrize(
    ("code", "kind"),
    [(400, NoSuchObject), (404, NoSuchObject), (429, Unavailable), (500, Unavailable)],
)
async def test_a_log_that_is_not_there_is_told_from_one_that_cannot_be_read_now(
    ns: ClusterNamespace, proxy: FaultProxy, code: int, kind: type[Exception]
) -> None:
    proxy.add(LOG, answer(code, "container session is waiting to start"))
    with pytest.raises(kind, match="waiting to start"):
        await log(asked_with(proxy.kubeconfig), ns.namespace)


async def test_a_connection_that_breaks_is_no_answer(
    ns: ClusterNamespace, proxy: FaultProxy
) -> None:
    proxy.add(LOG, before(lambda: None))
    with pytest.raises(Unavailable, match="did not answer"):
        await log(asked_with(proxy.kubeconfig), ns.namespace)


async def test_a_pod_that_is_not_there_and_a_caller_without_rights(
    ns: ClusterNamespace, crds: Cluster, tmp_path: Path
) -> None:
    with pytest.raises(NoSuchObject):
        await log(ns.streams, ns.namespace)
    stranger = of_stranger(crds, ns.namespace, tmp_path)
    with pytest.raises(Forbidden, match="pods/log"):
        await log(asked_with(stranger), ns.namespace)


async def test_a_watch_that_is_closed_leaves_nothing_to_be_closed(ns: ClusterNamespace) -> None:
    ns.objects.beside("ensoscripts").create(library_script("open", source="def main(): pass"))
    before_it = asyncio.all_tasks()
    changes = ns.streams.table_changes(ns.namespace, "ensoscripts", "")
    assert (await anext(changes))["type"] == "ADDED"
    await changes.aclose()
    await asyncio.sleep(0)  # a generator that is left to the event loop becomes a task of it
    assert asyncio.all_tasks() == before_it
