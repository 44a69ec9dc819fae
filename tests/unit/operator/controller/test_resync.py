"""When an operator knows all objects, and how often it lists them until then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from enso_operator.controller import resync
from enso_operator.controller.resync import Resync, Watched
from job_execution_framework.domain.errors import NoAnswer
from job_execution_framework.service_layer.clock import SystemClock
from tests.support.eventually import until_async


@dataclass
class Listed:
    """Objects of a kind that a list has; `shown` are those that the watch has shown."""

    objects: dict[str, int]
    shown: dict[str, int] = field(default_factory=dict[str, int])
    lists: int = 0
    problem: Exception | None = None

    async def sweep(self) -> list[tuple[str, int]]:
        self.lists += 1
        if self.problem:
            raise self.problem
        return [found for found in self.objects.items() if self.is_missing(*found)]

    def is_missing(self, uid: str, version: int) -> bool:
        return version > self.shown.get(uid, 0)


@asynccontextmanager
async def running(*watched: Listed, every_seconds: float = 60) -> AsyncGenerator[Resync]:
    kinds: dict[str, Watched] = dict(zip(("EnsoJobs", "EnsoActions"), watched, strict=True))
    resyncing = Resync(kinds, SystemClock(), every_seconds)
    task = asyncio.create_task(resyncing.run())
    try:
        yield resyncing
    finally:
        task.cancel()


async def becomes(resyncing: Resync, sentence: str | None) -> None:
    """Wait until it says this of what it does not know; None: until it knows all."""

    async def is_so() -> bool:
        return resyncing.is_away() == sentence

    await until_async(is_so)


async def is_blind(resyncing: Resync) -> None:
    """Wait until the watch is taken for dead."""

    async def is_so() -> bool:
        return resyncing.is_blind() is not None

    await until_async(is_so)


@asynccontextmanager
async def gone_blind() -> AsyncGenerator[tuple[Resync, Listed]]:
    """Sweep often, with a watch that is taken for dead: it has not shown what a list has."""
    jobs, actions = Listed({"a": 1}, {"a": 1}), Listed({})
    async with running(jobs, actions, every_seconds=0.05) as resyncing:
        await becomes(resyncing, None)
        jobs.objects["a"] = 2
        await is_blind(resyncing)
        yield resyncing, jobs


@pytest.fixture
def hour(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweeps that stand so far apart that a test sees the first one only."""
    monkeypatch.setattr(resync, "UNTIL_READY_SECONDS", 3600.0)


@pytest.mark.usefixtures("hour")
def test_it_knows_all_as_soon_as_the_watch_has_shown_it_and_lists_nothing_twice() -> None:
    async def scenario() -> None:
        jobs, actions = Listed({"a": 1, "b": 2}), Listed({"c": 3})
        async with running(jobs, actions) as resyncing:
            jobs.shown["a"] = 1
            actions.shown["c"] = 4  # a later version
            await becomes(resyncing, "EnsoJobs and EnsoActions are being listed")
            jobs.shown["b"] = 2
            await becomes(resyncing, None)
        assert (jobs.lists, actions.lists) == (1, 1)
        assert resyncing.watch_age() <= 0

    asyncio.run(scenario())


def test_what_is_deleted_before_the_watch_shows_it_is_not_waited_for() -> None:
    async def scenario() -> None:
        jobs, actions = Listed({"a": 1, "b": 2}, {"a": 1}), Listed({})
        async with running(jobs, actions) as resyncing:
            await asyncio.sleep(0)
            del jobs.objects["b"]
            await becomes(resyncing, None)

    asyncio.run(scenario())


def test_a_list_that_is_refused_is_tried_again() -> None:
    async def scenario() -> None:
        jobs, actions = Listed({"a": 1}, {"a": 1}), Listed({}, problem=NoAnswer("it is away"))
        async with running(jobs, actions) as resyncing:
            await becomes(resyncing, "EnsoActions cannot be listed: it is away")
            actions.problem = None
            await becomes(resyncing, None)

    asyncio.run(scenario())


def test_a_watch_that_was_a_moment_late_is_not_blind_until_the_next_list() -> None:
    async def scenario() -> None:
        async with gone_blind() as (resyncing, jobs):
            lists = jobs.lists
            jobs.shown["a"] = 2
            assert (resyncing.is_blind(), jobs.lists) == (None, lists)

    asyncio.run(scenario())


def test_a_watch_is_not_blind_while_the_api_server_is_away() -> None:
    async def scenario() -> None:
        async with gone_blind() as (resyncing, jobs):
            jobs.problem = NoAnswer("it is away")
            await becomes(resyncing, "EnsoJobs cannot be listed: it is away")
            assert resyncing.is_blind() is None
            jobs.problem = None
            await is_blind(resyncing)

    asyncio.run(scenario())
