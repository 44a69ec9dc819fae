"""Jobs start a few at a time: the oldest first, and no namespace waits for another one's."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field

import pytest

from enso_operator.controller import start_queue
from enso_operator.controller.start_queue import (
    LARGEST_KEPT_BYTES,
    MOST_AT_ONCE,
    MOST_OF_A_NAMESPACE,
    StartQueue,
)
from enso_operator.kube.ensojob import EnsoJobObject, Reference
from tests.support.eventually import until_async
from tests.support.resources import of_scripts

pytestmark = pytest.mark.anyio


def ensojob(number: int, namespace: str = "shows", *, runs: bool = False) -> EnsoJobObject:
    document = of_scripts({})
    created = f"2026-11-30T12:{number // 60:02}:{number % 60:02}Z"
    document["metadata"] = {
        "name": f"shot-{number}",
        "namespace": namespace,
        "uid": f"{namespace}-{number}",
        "resourceVersion": "1",
        "creationTimestamp": created,
    }
    if runs:
        document["status"] = {"ledger": {"run": {"uid": "pod-uid"}}}
    return EnsoJobObject(document)


@dataclass
class World:
    """A queue, and which jobs had their turn in it, also those that it had to have read."""

    started: list[str] = field(default_factory=list[str])
    versions: list[str] = field(default_factory=list[str])
    read: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.queue = StartQueue(self._start, self._read)

    def _start(self, job: EnsoJobObject) -> None:
        self.started.append(job.uid)
        self.versions.append(job.version)

    def _read(self, job: Reference) -> None:
        self.started.append(job.uid)
        self.read.append(job.uid)

    def add(self, *jobs: EnsoJobObject) -> list[EnsoJobObject]:
        """Return those that may start at once."""
        return [job for job in jobs if self.queue.may_start(job)]

    def fill(self) -> list[EnsoJobObject]:
        """Have as many jobs start as may, in namespaces of their own."""
        return self.add(*(ensojob(0, f"busy-{number}") for number in range(MOST_AT_ONCE)))


async def test_jobs_start_at_once_until_there_are_many() -> None:
    world = World()
    assert len(world.fill()) == MOST_AT_ONCE
    assert world.add(ensojob(1), ensojob(2)) == []
    assert len(world.queue) == 2


async def test_the_oldest_is_next_but_one_whose_session_runs_is_before_it() -> None:
    world = World()
    busy = world.fill()
    world.add(ensojob(3), ensojob(1), ensojob(2), ensojob(9, runs=True))
    for job in busy[:4]:
        world.queue.leave(job.uid)
    await asyncio.sleep(0)
    assert world.started == ["shows-9", "shows-1", "shows-2", "shows-3"]
    assert len(world.queue) == 0


async def test_one_namespace_leaves_turns_for_others() -> None:
    world = World()
    assert len(world.add(*(ensojob(number) for number in range(3000)))) == MOST_OF_A_NAMESPACE
    others = [ensojob(number, "studio") for number in range(3000)]
    assert len(world.add(*others)) == MOST_AT_ONCE - MOST_OF_A_NAMESPACE
    assert world.started == []


async def test_a_flood_in_one_namespace_holds_up_no_other() -> None:
    world, places = World(), [f"studio-{number}" for number in range(2 * MOST_AT_ONCE)]
    flood = [ensojob(number, "flood") for number in range(3000)]
    starting = deque(job.uid for job in world.add(*flood))
    at_once = {job.uid for job in world.add(*(ensojob(0, place) for place in places))}
    for _ in range(len(places) + MOST_AT_ONCE):  # each leaves a turn, and the next one takes it
        world.queue.leave(starting.popleft())
        await asyncio.sleep(0)
        starting.append(world.started[-1])
    assert {f"{place}-0" for place in places} <= {*world.started} | at_once


async def test_what_is_started_is_the_newest_version() -> None:
    world = World()
    busy, changed = world.fill(), ensojob(1)
    changed.document["metadata"]["resourceVersion"] = "7"
    assert world.add(ensojob(1), changed) == []
    world.queue.leave(busy[0].uid)
    await asyncio.sleep(0)
    assert world.versions == ["7"]
    assert world.add(changed) == [changed]  # it has its turn
    assert len(world.queue) == 0


async def test_of_very_many_only_some_wait_with_their_object(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(start_queue, "MOST_KEPT", 2)
    world = World()
    busy = world.fill()
    world.add(*map(ensojob, range(4)))
    world.queue.leave("shows-0")
    world.add(ensojob(5), ensojob(3))  # there is room for one again
    for job in busy:
        world.queue.leave(job.uid)
    await asyncio.sleep(0)
    assert world.started == ["shows-1", "shows-2", "shows-3", "shows-5"]
    assert world.read == ["shows-2", "shows-3"]


async def test_a_job_that_needs_nothing_any_more_is_passed_over() -> None:
    world = World()
    busy = world.fill()
    world.add(ensojob(1), ensojob(2))
    world.queue.leave("shows-1")
    world.queue.leave("shows-1")
    world.queue.leave(busy[0].uid)
    await asyncio.sleep(0)
    assert world.started == ["shows-2"]


async def test_jobs_that_take_long_to_start_hold_up_others_only_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(start_queue, "LONGEST_SECONDS", 0.05)
    world = World()
    world.fill()
    world.add(*(ensojob(number) for number in range(2 * MOST_AT_ONCE)))

    async def all_have_started() -> bool:
        return len(world.started) == 2 * MOST_AT_ONCE

    await until_async(all_have_started)


async def test_a_queue_that_is_stopped_starts_nothing() -> None:
    world = World()
    busy = world.fill()
    world.add(ensojob(1))
    world.queue.stop()
    for job in busy:
        world.queue.leave(job.uid)
    await asyncio.sleep(0)
    assert world.started == []


async def test_a_large_object_is_not_kept() -> None:
    world = World()
    busy, large = world.fill(), ensojob(1)
    large.document["spec"]["scripts"][0]["source"] = LARGEST_KEPT_BYTES * "#"
    world.add(large)
    world.queue.leave(busy[0].uid)
    await asyncio.sleep(0)
    assert world.read == ["shows-1"]
