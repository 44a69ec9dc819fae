"""When EnsoJobs that have ended are deleted, and when they are not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest

from enso_operator.controller import ttl
from enso_operator.controller.ttl import TimeToLive
from enso_operator.kube.client import Refused
from enso_operator.kube.ensojob import EnsoJobObject
from job_execution_framework.domain.errors import EnsoError, Unavailable
from tests.support.in_memory_objects import InMemoryCluster, InMemoryObjects
from tests.support.in_memory_operator import Operator, operate
from tests.support.jobs import FakeClock
from tests.support.resources import of_scripts

ENDED = "2026-11-28T12:00:00Z"
ENDED_AT = 1795867200.0
SHOT = of_scripts({}, ttlSecondsAfterFinished=60)


@dataclass(frozen=True)
class Shaky(InMemoryObjects):
    """Deletes nothing while there are errors to raise."""

    errors: list[EnsoError] = field(default_factory=list[EnsoError])

    def delete(self, name: str, uid: str, version: str) -> None:
        if self.errors:
            raise self.errors.pop(0)
        super().delete(name, uid, version)


class Jobs:
    """EnsoJobs in memory, and the time to live of them."""

    def __init__(self) -> None:
        self.cluster, self.clock = InMemoryCluster(), FakeClock(ENDED_AT)
        self.objects = Shaky(self.cluster, "shows")
        self.chores = set[asyncio.Task[None]]()
        self.ttl = TimeToLive(lambda _namespace: self.objects, self.clock, self._do)

    def ended(self, document: dict[str, Any] = SHOT, **status: object) -> EnsoJobObject:
        made = EnsoJobObject(self.objects.create(document))
        given = {"completionTime": ENDED} | status
        return EnsoJobObject(self.objects.patch_status(made.name, made.version, given))

    def is_there(self) -> bool:
        return bool(self.cluster.stored)

    def _do(self, chore: Coroutine[Any, Any, None]) -> None:
        self.chores.add(asyncio.create_task(chore))

    async def until_gone(self) -> None:
        async with asyncio.timeout(30):
            while self.is_there():  # noqa: ASYNC110  # it changes in another thread
                await asyncio.sleep(0.005)

    async def a_while(self) -> None:
        """Give deletions that are due at once the time to happen."""
        await asyncio.sleep(0.05)
        await asyncio.gather(*self.chores)


def live(story: Callable[[Jobs], Awaitable[None]]) -> None:
    async def run() -> None:
        await story(Jobs())

    asyncio.run(run())


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ttl, "SHORTEST_PAUSE_SECONDS", 0.01)


def test_a_job_is_deleted_when_its_time_is_over() -> None:
    async def story(jobs: Jobs) -> None:
        ensojob = jobs.ended()
        assert ensojob.expires_at == ENDED_AT + 60
        jobs.clock.time = ENDED_AT + 59.95
        jobs.ttl.look_at(ensojob)
        await asyncio.sleep(0)
        assert jobs.is_there()
        await jobs.until_gone()

    live(story)


@pytest.mark.parametrize(
    ("document", "status"),
    [
        (SHOT, {}),
        (SHOT, {"completionTime": None}),
        (of_scripts({}), {}),
        ({**SHOT, "metadata": {"name": "shot", "deletionTimestamp": ENDED}}, {}),
    ],
    ids=["not yet", "not ended", "for ever", "deleted already"],
)
def test_jobs_without_a_due_time_to_live_are_not_deleted(
    document: dict[str, Any], status: dict[str, object]
) -> None:
    async def story(jobs: Jobs) -> None:
        jobs.clock.time = ENDED_AT + (0 if document is SHOT and not status else 3600)
        jobs.ttl.look_at(jobs.ended(document, **status))
        await jobs.a_while()
        assert jobs.is_there()
        jobs.ttl.stop()

    live(story)


@pytest.mark.parametrize("stop", ["forget", "stop"])
def test_a_job_that_is_forgotten_before_its_time_is_over_is_not_deleted(stop: str) -> None:
    async def story(jobs: Jobs) -> None:
        jobs.clock.time = ENDED_AT + 59.99
        ensojob = jobs.ended()
        jobs.ttl.look_at(ensojob)
        if stop == "forget":
            jobs.ttl.forget(ensojob.uid)
        else:
            jobs.ttl.stop()
        await jobs.a_while()
        assert jobs.is_there()

    live(story)


@pytest.mark.parametrize("error", [Unavailable, Refused])
def test_a_deletion_that_does_not_work_is_tried_again(error: type[EnsoError]) -> None:
    async def story(jobs: Jobs) -> None:
        jobs.clock.time = ENDED_AT + 60
        jobs.objects.errors[:] = [error("not now"), error("nor now")]
        jobs.ttl.look_at(jobs.ended())
        await jobs.until_gone()
        assert not jobs.objects.errors

    live(story)


def test_a_job_that_was_changed_is_not_deleted_before_its_new_time() -> None:
    async def story(jobs: Jobs) -> None:
        jobs.clock.time = ENDED_AT + 60
        ensojob = jobs.ended()
        changed = jobs.objects.patch("shot", ensojob.version, {"ttlSecondsAfterFinished": 120})
        jobs.ttl.look_at(ensojob)
        await jobs.a_while()
        assert jobs.is_there()
        jobs.ttl.look_at(EnsoJobObject(changed))
        await jobs.a_while()
        assert jobs.is_there()
        jobs.clock.time = ENDED_AT + 120
        jobs.ttl.look_at(EnsoJobObject(changed))
        await jobs.until_gone()

    live(story)


def test_a_job_that_is_resumed_lives_until_it_has_ended_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its first time to live is over before it is resumed, but it cannot be deleted then."""
    monkeypatch.setattr(ttl, "LONGEST_PAUSE_SECONDS", 0.02)
    delete, tried, is_away = InMemoryObjects.delete, list[str](), [True]

    def away_at_first(objects: InMemoryObjects, name: str, uid: str, version: str) -> None:
        tried.append(version)
        if is_away:
            raise Unavailable("not now")
        delete(objects, name, uid, version)

    monkeypatch.setattr(InMemoryObjects, "delete", away_at_first)

    async def story(operator: Operator) -> None:
        operator.backend.failing = {"script-0"}
        operator.create(of_scripts({}, ttlSecondsAfterFinished=0))
        await operator.until(lambda: len(tried) > 1)
        operator.backend.failing, operator.backend.waits_for_control = set(), True
        operator.create_action("resume")
        await operator.until(lambda: operator.get().committed_uid)
        is_away.clear()
        await asyncio.sleep(0.1)
        tried.clear()  # one that was under way may have ended a moment ago
        assert not operator.get().is_finished
        assert operator.get().expires_at is None
        resumed = int(operator.get().version)
        operator.create_action("cancel", name="enough")
        await operator.until(lambda: not operator.cluster.stored)
        assert operator.result("enough") == ("Done", "cancelled; session main-2 is being stopped")
        assert all(int(version) > resumed for version in tried), "of the new end alone"

    operate(story)


def test_somebody_else_may_delete_it() -> None:
    async def story(jobs: Jobs) -> None:
        jobs.clock.time = ENDED_AT + 60
        ensojob = jobs.ended()
        jobs.objects.delete("shot", ensojob.uid, ensojob.version)
        jobs.ttl.look_at(ensojob)
        await jobs.a_while()

    live(story)


def test_of_many_a_few_are_deleted_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    under_way, most = set[str](), 0
    delete = InMemoryObjects.delete

    def slowly(objects: InMemoryObjects, name: str, uid: str, version: str) -> None:
        nonlocal most
        under_way.add(name)
        most = max(most, len(under_way))
        delete(objects, name, uid, version)
        under_way.discard(name)

    monkeypatch.setattr(InMemoryObjects, "delete", slowly)

    async def story(jobs: Jobs) -> None:
        jobs.clock.time = ENDED_AT + 60
        for number in range(40):
            jobs.ttl.look_at(jobs.ended(SHOT | {"metadata": {"name": f"shot-{number}"}}))
        await jobs.until_gone()

    live(story)
    assert 1 <= most <= ttl.MOST_AT_ONCE
