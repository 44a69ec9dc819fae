"""What is kept of callers is bounded, is asked about anew, and is nobody else's."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest
from kubernetes.client import ApiClient, Configuration

from enso_operator.http_api.auth import callers
from enso_operator.http_api.auth.callers import Callers
from enso_operator.http_api.auth.viewer import Viewer
from enso_operator.http_api.cluster_backend import ClusterJobs
from enso_operator.http_api.port import NotAllowed, NotSignedIn
from enso_operator.kube.client import ApiObjects, Refused, Unauthorized
from enso_operator.kube.connection import configuration_of
from job_execution_framework.domain.errors import Unavailable
from job_execution_framework.domain.secret import Secret

pytestmark = pytest.mark.anyio


@dataclass
class Cluster:
    """Says whose a token is, and counts who asks."""

    now: float = 1000.0
    asked: list[str] = field(default_factory=list[str])
    wrong: dict[str, Exception] = field(default_factory=dict[str, Exception])

    def user_name(self, client: ApiClient) -> str:
        token = configuration_of(client).api_key["BearerToken"].removeprefix("Bearer ")
        self.asked.append(token)
        if token in self.wrong:
            raise self.wrong[token]
        return f"owner of {token}"


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    cluster = Cluster()
    monkeypatch.setattr(callers, "user_name", cluster.user_name)
    return cluster


@pytest.fixture
def known(cluster: Cluster) -> Callers:
    nobody = ApiObjects(ApiClient(Configuration(host="http://127.0.0.1:9")), "shows", "ensojobs")
    return Callers(nobody, lambda: cluster.now)


async def viewer(known: Callers, token: str) -> Viewer:
    return await known.viewer(Secret(token))


async def test_a_caller_is_asked_about_once_a_minute_and_stays_the_same(
    known: Callers, cluster: Cluster
) -> None:
    first = await viewer(known, "a")
    assert (first.name, cluster.asked) == ("owner of a", ["a"])
    assert await viewer(known, "a") is first
    assert cluster.asked == ["a"]
    cluster.now += 61
    assert await viewer(known, "a") is first  # with what is being streamed to them
    assert cluster.asked == ["a", "a"]


async def test_a_token_that_has_ended_is_known_no_more(known: Callers, cluster: Cluster) -> None:
    first = await viewer(known, "a")
    cluster.now += 61
    cluster.wrong["a"] = Unauthorized("Unauthorized")
    for _ in range(2):
        with pytest.raises(NotSignedIn, match="has expired, was revoked, or is of another cluster"):
            await viewer(known, "a")
    assert len(cluster.asked) == 2  # nor is the API server asked at once about it again
    del cluster.wrong["a"]
    cluster.now += callers.REFUSED_SECONDS + 1
    assert await viewer(known, "a") is not first


async def test_an_api_server_that_is_away_signs_nobody_out(
    known: Callers, cluster: Cluster
) -> None:
    first = await viewer(known, "a")
    cluster.now += 61
    for error, told in ((Unavailable("away"), Unavailable), (Refused("no"), NotAllowed)):
        cluster.wrong["a"] = error
        with pytest.raises(told):
            await viewer(known, "a")
    del cluster.wrong["a"]
    assert await viewer(known, "a") is first


async def test_two_callers_have_nothing_in_common(known: Callers) -> None:
    ann, bob = await viewer(known, "a"), await viewer(known, "b")
    assert ann.key != bob.key
    assert ann.jobs is not bob.jobs
    assert "owner" not in ann.key


async def test_requests_that_come_at_once_are_of_one_caller(
    known: Callers, cluster: Cluster
) -> None:
    both = await asyncio.gather(*(viewer(known, "a") for _ in range(5)))
    assert len({id(one) for one in both}) == 1
    assert {*cluster.asked} == {"a"}


async def test_many_tokens_take_bounded_memory_and_the_latest_are_known(
    known: Callers, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callers, "MOST_CALLERS", 3)
    first = await viewer(known, "first")
    for number in range(10):
        cluster.now += 1
        await viewer(known, str(number))
        assert await viewer(known, "first") is first  # who asks is not forgotten
    assert len(known) == 3
    asked = len(cluster.asked)
    await viewer(known, "0")
    assert len(cluster.asked) == asked + 1


async def test_who_asks_for_nothing_is_forgotten(
    known: Callers, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    retired: list[ClusterJobs] = []

    def retire(jobs: ClusterJobs) -> None:
        retired.append(jobs)

    monkeypatch.setattr(ClusterJobs, "retire", retire)
    forgotten = await viewer(known, "a")
    cluster.now += callers.IDLE_SECONDS + 1
    await viewer(known, "b")
    assert len(known) == 1
    assert retired == [forgotten.jobs]


async def test_a_server_that_stops_ends_what_is_streamed_to_its_callers(known: Callers) -> None:
    ann = await viewer(known, "a")
    await known.aclose()
    with pytest.raises(Unavailable, match="tells of no more changes"):
        await anext(ann.jobs.changes())


async def test_without_a_token_nobody_is_asked(known: Callers, cluster: Cluster) -> None:
    with pytest.raises(NotSignedIn):
        await known.viewer(None)
    assert cluster.asked == []
