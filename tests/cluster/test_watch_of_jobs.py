"""The watch of jobs on a real API server, through something that does not let watches last."""

from __future__ import annotations

from contextlib import aclosing

import pytest
from kubernetes.config import new_client_from_config  # pyright: ignore[reportUnknownVariableType]

from enso_operator.blocking import pause_of
from enso_operator.http_api import changes, cluster_watch
from enso_operator.http_api.cluster_backend import ClusterJobs
from enso_operator.kube.client import ApiObjects
from enso_operator.kube.streams import streams_of
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.support.eventually import until_async
from tests.support.fault_proxy import FaultProxy, on
from tests.support.fault_proxy.exchange import Exchange
from tests.support.resources import of_scripts

pytestmark = pytest.mark.anyio
CLOSED_AT_ONCE = 4


async def ends_at_once(exchange: Exchange) -> None:
    """Answer a watch as something between that closes it before anything can happen."""
    await exchange.reply(200, {}, b"")


async def test_watches_that_end_at_once_are_opened_less_and_less_often(
    ns: ClusterNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    watching, tries = on("watch", "ensojobs"), list[int]()

    def counted(tried: int, shortest: float, longest: float) -> float:
        tries.append(tried)
        return pause_of(tried, shortest, longest) / 1000

    monkeypatch.setattr(cluster_watch, "pause_of", counted)
    monkeypatch.setattr(changes, "MOMENT_SECONDS", 0)
    with FaultProxy(ns.cluster.kubeconfig) as proxy:
        proxy.add(watching, ends_at_once, times=CLOSED_AT_ONCE)
        with new_client_from_config(str(proxy.kubeconfig)) as client:  # type: ignore[no-untyped-call]
            jobs = ClusterJobs(ApiObjects(client, ns.namespace, "ensojobs"), streams_of(client))

        async def is_watched() -> bool:
            return proxy.count(watching) > CLOSED_AT_ONCE

        async with aclosing(jobs), aclosing(jobs.changes()) as listening:
            await anext(listening)
            await until_async(is_watched)
            assert tries == [*range(CLOSED_AT_ONCE)]
            ns.objects.create(of_scripts({}) | {"metadata": {"name": "later"}})
            while [row.name for row in (await jobs.rows()).rows] != ["later"]:
                await anext(listening)
            assert proxy.count(on("list", "ensojobs")) == CLOSED_AT_ONCE + 1
            assert proxy.count(watching) == CLOSED_AT_ONCE + 1
