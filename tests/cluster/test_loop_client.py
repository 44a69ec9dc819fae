"""Objects that are created on the event loop, at an API server that fails in every way."""

from __future__ import annotations

from pathlib import Path

import pytest
from dev.cluster.plane import Cluster
from kubernetes.config import new_client_from_config  # pyright: ignore[reportUnknownVariableType]

from enso_operator.kube.client import Forbidden, Refused, Taken, path_of
from enso_operator.kube.connection import configuration_of
from enso_operator.kube.loop_client import LoopClient
from job_execution_framework.domain.errors import EnsoError, Unavailable
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.kubeconfigs import of_stranger
from tests.support.fault_proxy import FaultProxy, after, answer, before, number, on
from tests.support.resources import Document

pytestmark = pytest.mark.anyio
POST = on("create", "configmaps")
DOCUMENT: Document = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "note"}}


async def post(kubeconfig: Path, namespace: str, document: Document) -> None:
    with new_client_from_config(str(kubeconfig)) as client:  # type: ignore[no-untyped-call]
        loop_client = LoopClient(configuration_of(client))
    try:
        await loop_client.create(path_of(namespace, "configmaps", "v1"), document)
    finally:
        await loop_client.close_connections()


async def test_a_name_is_taken_also_by_what_was_created_without_an_answer(
    ns: ClusterNamespace, proxy: FaultProxy
) -> None:
    proxy.add(number(1, POST), after(lambda: None))
    with pytest.raises(Unavailable, match="did not answer"):
        await post(proxy.kubeconfig, ns.namespace, DOCUMENT)
    with pytest.raises(Taken, match="already exists"):
        await post(proxy.kubeconfig, ns.namespace, DOCUMENT)
    assert proxy.count(POST) == 2


async def test_what_never_arrived_can_be_sent_again(
    ns: ClusterNamespace, proxy: FaultProxy
) -> None:
    proxy.add(number(1, POST), before(lambda: None))
    with pytest.raises(Unavailable, match="did not answer"):
        await post(proxy.kubeconfig, ns.namespace, DOCUMENT)
    await post(proxy.kubeconfig, ns.namespace, DOCUMENT)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (302, Unavailable),
        (409, Unavailable),
        (413, Refused),
        (429, Unavailable),
        (500, Unavailable),
    ],
)
async def test_an_answer_says_whether_to_try_again(
    ns: ClusterNamespace, proxy: FaultProxy, code: int, kind: type[EnsoError]
) -> None:
    proxy.add(POST, answer(code, "not now"))
    with pytest.raises(kind):
        await post(proxy.kubeconfig, ns.namespace, DOCUMENT)


async def test_whoever_lacks_the_right_is_told_which(
    ns: ClusterNamespace, crds: Cluster, tmp_path: Path
) -> None:
    stranger = of_stranger(crds, ns.namespace, tmp_path)
    with pytest.raises(Forbidden, match="configmaps"):
        await post(stranger, ns.namespace, DOCUMENT)
