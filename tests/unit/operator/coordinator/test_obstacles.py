"""What keeps a job from going on: how often it is tried, what is told of it, and what goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from enso_operator.coordinator import obstacles
from enso_operator.coordinator.actor import Actor
from enso_operator.coordinator.obstacles import (
    LONGEST_PAUSE_SECONDS,
    PATIENCE_SECONDS,
    SHORTEST_PAUSE_SECONDS,
    Obstacles,
    is_same,
)
from enso_operator.coordinator.planner import Planner
from enso_operator.coordinator.publisher import Publisher
from enso_operator.sessions.local.sessions import LocalSessions
from job_execution_framework.domain.actions import Cancel
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.errors import NoAnswer, NotYet, Unavailable
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import Script, Source
from job_execution_framework.service_layer import services
from job_execution_framework.service_layer.clock import SystemClock
from job_execution_framework.service_layer.library import ScriptLibrary
from job_execution_framework.service_layer.plan import Plan
from job_execution_framework.service_layer.unit_of_work import InMemoryJobUnitOfWork

QUOTA = 'pods "shot" is forbidden: exceeded quota: compute, requested: pods=1, used: pods=%d'
PLANNER = Planner(ScriptLibrary([]))
PASSES = Script("one", Source("def main(): pass"))


def test_what_is_waited_for_is_asked_for_less_and_less_often() -> None:
    met, now, tries = Obstacles(), 0.0, 0
    while now < 3600:
        met.met("open", NotYet("exceeded quota"), now)
        tries, now = tries + 1, met.until("open")
    assert 3600 / LONGEST_PAUSE_SECONDS <= tries < 2.2 * 3600 / LONGEST_PAUSE_SECONDS


def test_what_has_lasted_is_tried_again_when_it_is_to_be_told() -> None:
    for _ in range(100):
        met, now = Obstacles(), 0.0
        while (obstacle := met.met("open", Unavailable("its webhook is away"), now)).tell_at > now:
            now = met.until("open")
        assert now <= PATIENCE_SECONDS + 2 * SHORTEST_PAUSE_SECONDS, obstacle


def test_no_two_jobs_try_again_at_the_same_moment() -> None:
    times = set[float]()
    for _ in range(100):
        met = Obstacles()
        met.met("open", NotYet("exceeded quota"), 0)
        times.add(met.until("open"))
    assert len(times) > 90


def test_what_only_counts_is_no_news() -> None:
    one, other = (Cause(Reason.FAILED_CREATE, QUOTA % used) for used in (9, 10))
    assert is_same(one, other)
    assert not is_same(one, Cause(Reason.FAILED_CREATE, "no such PriorityClass"))
    assert not is_same(one, None)


@pytest.mark.parametrize("error", [NotYet, Unavailable])
def test_a_deadline_passes_while_no_session_can_be_opened(
    tmp_path: Path, error: type[Unavailable]
) -> None:
    class Refusing(LocalSessions):
        async def open(self, plan: Plan) -> str:
            raise error(f"{plan.run} is refused", Reason.FAILED_CREATE)

    uow, commits = InMemoryJobUnitOfWork(), list[str]()

    def listen(job: Job, _: object) -> None:
        commits.append(str(job.state))

    services.add([PASSES], job_uow=uow, job_id="job", deadline_seconds=0.5)
    actor = Actor("job", uow, Refusing(tmp_path), PLANNER, SystemClock(), Publisher(listen))
    asyncio.run(asyncio.wait_for(actor.drive(), 60))
    assert commits[0] == "Running"  # its first sight did not wait
    failure = uow.jobs.get("job").failure
    assert failure
    assert failure.cause.reason == Reason.DEADLINE_EXCEEDED
    assert failure.cause.message == (
        "the job took longer than its 0.5 s, at one; it waited: FailedCreate: main-1 is refused"
    )


@pytest.mark.parametrize(
    ("error", "told"),
    [(Unavailable("it is too large"), ["it is too large"]), (NoAnswer("nobody is there"), [])],
)
def test_what_keeps_a_job_from_being_committed_is_told_unless_nobody_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Unavailable, told: list[str]
) -> None:
    monkeypatch.setattr(obstacles, "PATIENCE_SECONDS", 0)
    errors, complaints = [error], list[str]()

    class Refusing(InMemoryJobUnitOfWork):
        def commit(self) -> None:
            if errors and self.jobs.get("job").events[1:]:
                raise errors.pop()
            super().commit()

    class Telling(Publisher):
        async def report_blocked(self, job: Job | None, why: str) -> None:
            del job
            complaints.append(why)

    uow = Refusing()
    services.add([PASSES], job_uow=uow, job_id="job")
    telling = Telling(lambda _job, _events: None)
    actor = Actor("job", uow, LocalSessions(tmp_path), PLANNER, SystemClock(), telling)
    asyncio.run(asyncio.wait_for(actor.drive(), 60))
    assert str(uow.jobs.get("job").state) == "Succeeded"
    assert (errors, complaints) == ([], told)


def test_a_session_that_cannot_be_let_go_holds_up_no_cancel(tmp_path: Path) -> None:
    class Stuck(LocalSessions):
        releases = 0

        async def release(self, run: str, uid: str) -> None:
            self.releases += 1
            if not (self.directory(run) / "control").exists():
                actor.ask(Cancel(by="ann"))
                raise Unavailable("the API server answered 500")
            await super().release(run, uid)

    uow, sessions = InMemoryJobUnitOfWork(), Stuck(tmp_path)
    services.add([PASSES], job_uow=uow, job_id="job")
    silent = Publisher(lambda _job, _events: None)
    actor = Actor("job", uow, sessions, PLANNER, SystemClock(), silent)
    asyncio.run(asyncio.wait_for(actor.drive(), 60))
    assert str(uow.jobs.get("job").state) == "Cancelled"
    assert sessions.releases == 2
