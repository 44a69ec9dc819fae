"""One watch for all who look with the same rights, whatever becomes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack, aclosing

import pytest

from enso_operator.api.document import Document
from enso_operator.blocking import pause_of
from enso_operator.http_api import changes, cluster_rows, cluster_watch
from enso_operator.http_api.cluster_backend import ClusterJobs
from enso_operator.http_api.port import NotAllowed
from enso_operator.kube.client import Forbidden
from enso_operator.kube.streams import WatchExpired
from job_execution_framework.domain.errors import Unavailable
from tests.support.eventually import DEADLINE_SECONDS, until_async
from tests.support.in_memory_objects import InMemoryCluster, InMemoryObjects
from tests.support.in_memory_streams import InMemoryStreams
from tests.support.resources import of_scripts

pytestmark = pytest.mark.anyio
MANY = 500


class Lists:
    """Counts the lists that are made."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self.error: Exception | None = None
        table = InMemoryObjects.table

        def counted(objects: InMemoryObjects) -> Iterator[Document]:
            self.count += 1
            if self.error:
                raise self.error
            return table(objects)

        monkeypatch.setattr(InMemoryObjects, "table", counted)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MOMENT_SECONDS", 0)
    monkeypatch.setattr(changes, "LINGER_SECONDS", 0.05)
    monkeypatch.setattr(cluster_watch, "SHORTEST_PAUSE_SECONDS", 0.01)


@pytest.fixture
def lists(monkeypatch: pytest.MonkeyPatch) -> Lists:
    return Lists(monkeypatch)


@pytest.fixture
def objects() -> InMemoryObjects:
    return InMemoryCluster().objects("shows")


@pytest.fixture
def streams(objects: InMemoryObjects) -> InMemoryStreams:
    return InMemoryStreams(cluster=objects.cluster)


@pytest.fixture
def jobs(objects: InMemoryObjects, streams: InMemoryStreams) -> ClusterJobs:
    return ClusterJobs(objects, streams)


def create(objects: InMemoryObjects, name: str) -> Document:
    return objects.create(of_scripts({}) | {"metadata": {"name": name}})


async def names(jobs: ClusterJobs) -> set[str]:
    return {row.name for row in (await jobs.rows()).rows}


async def become(jobs: ClusterJobs, *expected: str) -> None:
    async def is_so() -> bool:
        return await names(jobs) == {*expected}

    await until_async(is_so)


async def test_many_viewers_cost_one_list_and_one_watch(
    jobs: ClusterJobs, objects: InMemoryObjects, streams: InMemoryStreams, lists: Lists
) -> None:
    created = create(objects, "shot")
    async with AsyncExitStack() as stack:
        viewers: list[AsyncGenerator[None]] = []
        for number in range(MANY):
            viewer = jobs.changes("shot" if number % 2 else "")
            viewers.append(await stack.enter_async_context(aclosing(viewer)))
        await asyncio.gather(*map(anext, viewers))
        for done in ("0/1", "1/1"):
            version = objects.get("shot")["metadata"]["resourceVersion"]
            objects.patch_status("shot", version, {"done": done})
            await asyncio.gather(*map(anext, viewers))
            assert [row.done for row in (await jobs.rows()).rows] == [done]
        assert (lists.count, streams.watches) == (1, 1)
        assert streams.begun == [created["metadata"]["resourceVersion"]]

    async def is_over() -> bool:
        return streams.watches == 0

    await until_async(is_over)


async def test_rows_are_listed_once_for_all_who_ask_within_a_moment(
    jobs: ClusterJobs, objects: InMemoryObjects, lists: Lists, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(objects, "shot")
    asked = await asyncio.gather(*(names(jobs) for _ in range(MANY)))
    assert asked == [{"shot"}] * MANY
    assert lists.count == 1
    monkeypatch.setattr(cluster_rows, "KEPT_SECONDS", 0)
    create(objects, "other")
    await become(jobs, "shot", "other")


@pytest.mark.parametrize("end", [None, Unavailable("gone"), WatchExpired("too old")])
async def test_nothing_is_missed_however_a_watch_ends(
    jobs: ClusterJobs,
    objects: InMemoryObjects,
    streams: InMemoryStreams,
    end: Exception | None,
) -> None:
    streams.ends = [end]
    async with aclosing(jobs.changes()) as listening:
        await anext(listening)
        first = create(objects, "first")
        await anext(listening)
        create(objects, "second")
        await become(jobs, "first", "second")
        objects.delete("first", first["metadata"]["uid"], first["metadata"]["resourceVersion"])
        await become(jobs, "second")


@pytest.mark.parametrize("error", [None, Unavailable("the API server does not watch")])
async def test_a_watch_that_fails_although_the_list_does_not_is_tried_less_and_less_often(
    jobs: ClusterJobs,
    streams: InMemoryStreams,
    lists: Lists,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception | None,
) -> None:
    failing = 6
    pauses = list[float]()

    async def begins(namespace: str, plural: str, version: str) -> AsyncGenerator[Document]:
        if lists.count <= failing:
            if error:
                raise error
            return
        async with aclosing(table_changes(namespace, plural, version)) as events:
            async for event in events:
                yield event

    def paused(tries: int, shortest: float, longest: float) -> float:
        pauses.append(pause_of(tries, shortest, longest))
        return 0

    table_changes = streams.table_changes
    monkeypatch.setattr(streams, "table_changes", begins)
    monkeypatch.setattr(cluster_watch, "pause_of", paused)

    async def is_watched() -> bool:
        return streams.watches == 1

    async with aclosing(jobs.changes()) as listening:
        await anext(listening)
        await until_async(is_watched)
        shortest = cluster_watch.SHORTEST_PAUSE_SECONDS
        assert pauses == [shortest * 2**tries for tries in range(failing)]


async def test_what_nobody_will_come_back_to_is_watched_while_somebody_listens(
    jobs: ClusterJobs,
    objects: InMemoryObjects,
    streams: InMemoryStreams,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(changes, "LINGER_SECONDS", 10 * DEADLINE_SECONDS)
    other = jobs.within("studio")

    async def watched(number: int) -> None:
        async def is_so() -> bool:
            return streams.watches == number

        await until_async(is_so)

    async with aclosing(jobs.changes()) as listening:
        await anext(listening)
        async with aclosing(other.changes()) as left:
            await anext(left)
            await watched(2)
        jobs.retire()
        await watched(1)  # nobody listened to the other any more
        create(objects, "shot")
        await anext(listening)
    await watched(0)


async def test_a_refusal_ends_all_who_listen_with_its_sentence(
    jobs: ClusterJobs, lists: Lists
) -> None:
    lists.error = Forbidden("ensojobs is forbidden")
    listening = [jobs.changes(), jobs.changes("shot")]
    for listener in listening:
        with pytest.raises(NotAllowed, match="ensojobs is forbidden"):
            await anext(listener)
    lists.error = None
    async with aclosing(jobs.changes()) as again:
        await anext(again)


async def test_who_listens_is_told_when_the_api_server_goes_away_and_when_it_is_back(
    jobs: ClusterJobs, objects: InMemoryObjects, streams: InMemoryStreams, lists: Lists
) -> None:
    streams.ends = [Unavailable("gone")]
    async with aclosing(jobs.changes("shot")) as listening:
        await anext(listening)

        async def is_watched() -> bool:
            return streams.watches == 1

        await until_async(is_watched)
        lists.error = Unavailable("the API server does not answer")
        create(objects, "other")  # the watch ends with it
        await anext(listening)
        with pytest.raises(Unavailable, match="does not answer"):
            await jobs.rows()
        lists.error = None
        await anext(listening)
        await become(jobs, "other")


async def test_jobs_that_are_closed_tell_all_who_listen_and_watch_nothing(
    jobs: ClusterJobs, streams: InMemoryStreams
) -> None:
    other = jobs.within("studio")
    listening = [jobs.changes(), jobs.changes("shot"), other.changes()]
    for listener in listening:
        await anext(listener)

    async def are_watched() -> bool:
        return streams.watches == 2

    await until_async(are_watched)
    await jobs.aclose()
    assert streams.watches == 0
    for listener in [*listening, jobs.changes(), other.changes()]:
        with pytest.raises(Unavailable, match="tells of no more changes"):
            await anext(listener)


async def test_more_jobs_than_a_list_has_are_cut_and_it_says_so(
    jobs: ClusterJobs, objects: InMemoryObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (cluster_rows, cluster_watch):
        monkeypatch.setattr(module, "MOST_ROWS", 2)
    for name in ("a", "b"):
        create(objects, name)
    assert (await jobs.rows()).is_complete
    async with aclosing(jobs.changes()) as listening:
        await anext(listening)
        create(objects, "c")
        await anext(listening)
        rows = await jobs.rows()
        assert (len(rows.rows), rows.is_complete) == (2, False)
    create(objects, "d")

    async def is_cut() -> bool:
        rows = await jobs.rows()
        return (len(rows.rows), rows.is_complete) == (2, False)

    await until_async(is_cut)
