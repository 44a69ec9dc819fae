"""No path of the API takes a query; what it answers fits to where its jobs are."""

from __future__ import annotations

import pytest

from enso_operator.http_api.cluster_backend import ClusterJobs
from tests.support.api import Api, Served
from tests.support.in_memory_objects import InMemoryCluster
from tests.support.in_memory_streams import InMemoryStreams

pytestmark = pytest.mark.anyio
NONE = "is no parameter of this path: it takes none after a '?'"


@pytest.mark.parametrize("name", ["x", "namespace"])
async def test_in_memory_there_is_no_word_of_namespaces(api: Api, name: str) -> None:
    answer = await api.get(f"/list-jobs?{name}=1")
    assert (answer.status_code, answer.json()["error"]) == (422, f"{name!r} {NONE}")


async def test_in_a_cluster_the_namespace_is_told_to_who_asks_for_one(served: Served) -> None:
    api = await served.over(ClusterJobs(InMemoryCluster().objects("shows"), InMemoryStreams()))
    said = [(await api.get(f"/list-jobs?{name}=1")).json()["error"] for name in ("x", "namespace")]
    where = "the jobs are those of 'shows', with which the server was started"
    assert said == [f"'x' {NONE}", f"'namespace' {NONE}; {where}"]
