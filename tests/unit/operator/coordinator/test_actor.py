"""The actor that drives a job: what it accepts from sessions, and when it commits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from enso_operator.coordinator.actor import Actor
from enso_operator.coordinator.planner import Planner
from enso_operator.coordinator.publisher import Publisher
from enso_operator.sessions.local.sessions import LocalSessions
from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.errors import Conflict, NotYet, Unavailable
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.retries import Retries
from job_execution_framework.domain.row import ScriptState
from job_execution_framework.domain.script import Script, Source
from job_execution_framework.domain.secret import Secret
from job_execution_framework.domain.transitions import JobState
from job_execution_framework.runtime.journal import Journal
from job_execution_framework.service_layer import services
from job_execution_framework.service_layer.clock import SystemClock
from job_execution_framework.service_layer.library import ScriptLibrary
from job_execution_framework.service_layer.observations import Ended, Observations, Outcome
from job_execution_framework.service_layer.plan import Plan
from job_execution_framework.service_layer.unit_of_work import InMemoryJobUnitOfWork

CANARY = "canary-4711"
PLANNER, SILENT = Planner(ScriptLibrary([])), Publisher(lambda _job, _events: None)


def drive(sessions: LocalSessions, *scripts: Script) -> Job:
    uow = InMemoryJobUnitOfWork()
    services.add(scripts, job_uow=uow, job_id="job")
    actor = Actor("job", uow, sessions, PLANNER, SystemClock(), SILENT)
    asyncio.run(asyncio.wait_for(actor.drive(), 60))
    return uow.jobs.get("job")


def test_a_conflict_that_never_ends_is_no_hot_loop(tmp_path: Path) -> None:
    class Contended(InMemoryJobUnitOfWork):
        tries, is_added = 0, False

        def commit(self) -> None:
            if self.is_added:
                self.tries += 1
                raise Conflict("somebody else wrote it")
            super().commit()

    uow = Contended()
    services.add([Script("one", Source("def main(): pass"))], job_uow=uow, job_id="job")
    uow.is_added = True
    actor = Actor("job", uow, LocalSessions(tmp_path), PLANNER, SystemClock(), SILENT)
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(actor.drive(), 2))
    assert 1 < uow.tries < 12


def test_a_session_that_lies_is_ended_and_not_believed(tmp_path: Path) -> None:
    journal = tmp_path / "main-1" / "journal"
    lie = events.ScriptSucceeded(
        at=1, origin="main-1", seq=2, script="other", number=2, of=2, attempt=1
    )
    source = (
        "import time\n"
        "def main(journal, lie):\n"
        "    with open(journal, 'a') as file: file.write(lie)\n"
        "    time.sleep(60)\n"
    )
    forged = tmp_path / "forged"
    Journal(forged).append(lie)
    parameters = {"journal": str(journal), "lie": forged.read_text()}

    job = drive(
        LocalSessions(tmp_path),
        Script("liar", Source(source), parameters),
        Script("other", Source("def main(): pass")),
    )

    assert job.state is JobState.FAILED
    assert job.failure
    assert job.failure.cause.reason == Reason.SESSION_LOST
    assert "cannot be true" in job.failure.cause.message
    assert not job.rows["other"].done


def test_last_words_that_cannot_be_true_end_the_session_in_doubt(tmp_path: Path) -> None:
    class Liar(LocalSessions):
        async def follow(self, run: str, uid: str, after: int = 0) -> AsyncGenerator[Observations]:
            del uid, after
            lie = Outcome("one", 10**12, ScriptState.FAILED)
            ended = Ended(log_is_complete=True, outcomes=(lie,))
            yield Observations(run=run, ended=ended)

    job = drive(Liar(tmp_path), Script("one", Source("def main(): pass")))
    assert job.rows["one"].state is ScriptState.INTERRUPTED
    assert job.failure
    assert "had no attempt 1000000000000" in job.failure.cause.message


def test_a_follow_that_breaks_is_no_silent_death(tmp_path: Path) -> None:
    class Broken(LocalSessions):
        async def follow(self, run: str, uid: str, after: int = 0) -> AsyncGenerator[Observations]:
            del run, uid, after
            for failure in [OSError("the disk is gone")]:
                raise failure
            yield Observations()

    with pytest.raises(OSError, match="the disk is gone"):
        drive(Broken(tmp_path), Script("one", Source("def main(): pass")))


class Later(SystemClock):
    """A clock that a test can advance."""

    ahead = 0.0

    def now(self) -> float:
        return super().now() + self.ahead


def test_progress_is_written_with_what_comes_soon_after_it(tmp_path: Path) -> None:
    clock = Later()

    class Slow(LocalSessions):
        async def release(self, run: str, uid: str) -> None:
            clock.ahead += 3600  # it takes long until the first record comes
            await super().release(run, uid)

    uow, commits = InMemoryJobUnitOfWork(), list[int]()
    waits = "import time\ndef main(): time.sleep(0.3)"
    scripts = [Script("one", Source(waits)), Script("two", Source(waits))]
    services.add(scripts, job_uow=uow, job_id="job")
    actor = Actor(
        *("job", uow, Slow(tmp_path), PLANNER, clock),
        publisher=Publisher(lambda _job, new: commits.append(len(new))),
        pace_seconds=1800,
    )
    asyncio.run(asyncio.wait_for(actor.drive(), 60))
    assert len(commits) == 2


@pytest.mark.parametrize(
    ("error", "told"),
    [(Unavailable("reset"), []), (NotYet("exceeded quota"), ["exceeded quota"])],
)
def test_only_what_somebody_may_have_to_bring_is_complained_of(
    tmp_path: Path, error: Unavailable, told: list[str]
) -> None:
    errors, complaints = [error], list[str]()

    class Shaky(LocalSessions):
        async def open(self, plan: Plan) -> str:
            if errors:
                raise errors.pop()
            return await super().open(plan)

    class Telling(Publisher):
        async def report_blocked(self, job: Job | None, why: str) -> None:
            del job
            complaints.append(why)

    uow = InMemoryJobUnitOfWork()
    services.add([Script("one", Source("def main(): pass"))], job_uow=uow, job_id="job")
    telling = Telling(lambda _job, _events: None)
    actor = Actor("job", uow, Shaky(tmp_path), PLANNER, SystemClock(), telling)
    asyncio.run(asyncio.wait_for(actor.drive(), 60))
    assert uow.jobs.get("job").state is JobState.SUCCEEDED
    assert complaints == told


def test_a_plan_that_cannot_be_made_fails_the_job_with_a_sentence(tmp_path: Path) -> None:
    job = drive(
        LocalSessions(tmp_path), Script("one", Source("def main(x): pass"), {"x": object()})
    )
    assert job.failure
    assert job.failure.cause.reason == Reason.INVALID_JOB
    assert "parameter 'x' cannot be sent" in job.failure.cause.message


def test_a_supervisor_that_cannot_be_started_is_a_lost_session(tmp_path: Path) -> None:
    class NoRoom(LocalSessions):
        async def release(self, run: str, uid: str) -> None:
            del run, uid
            raise OSError("no more processes")

    job = drive(NoRoom(tmp_path), Script("one", Source("def main(): pass")))
    assert job.failure
    assert str(job.failure.cause) == "SessionLost: it could not be started: no more processes"


def test_a_secret_reaches_the_script_and_no_file_of_ours(tmp_path: Path) -> None:
    source = (
        "import os\n"
        "def main(token, seen):\n"
        "    assert not any(token in value for value in os.environ.values())\n"
        "    with open(seen, 'w') as file: file.write(token)\n"
        "    raise ValueError('refused ' + token)\n"
    )
    seen = tmp_path / "seen-by-the-script"
    sessions = LocalSessions(tmp_path / "sessions")

    job = drive(
        sessions, Script("send", Source(source), {"token": Secret(CANARY), "seen": str(seen)})
    )

    assert seen.read_text() == CANARY
    assert job.failure
    assert str(job.failure.cause) == "ValueError: refused ***"
    assert CANARY not in "".join(map(repr, job.events))
    for file in sessions.root.rglob("*"):
        assert file.is_dir() or CANARY.encode() not in file.read_bytes(), file


def test_no_more_is_heard_than_is_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("enso_operator.coordinator.run_follower.MOST_HELD", 4)
    told, committed = list[int](), list[int]()

    class Chatty(LocalSessions):
        async def follow(self, run: str, uid: str, after: int = 0) -> AsyncGenerator[Observations]:
            del uid, after
            (script,) = uow.jobs.get("job").scripts
            job = Job("job", (script,))
            for attempt in range(1, 21):
                about = job.script_event(events.ScriptStarted, "one", attempt, 1)
                begins = replace(about, origin=run, seq=2 * attempt - 1)
                failed = job.script_event(
                    events.ScriptFailed, "one", attempt, 1, cause=Cause("Flood")
                )
                ends = replace(failed, origin=run, seq=2 * attempt)
                told.append(attempt)
                for _ in range(2):  # a log is read again and again
                    yield Observations(run=run, records=(begins, ends))
            done = job.script_event(events.ScriptSucceeded, "one", 21, 1)
            about = job.script_event(events.ScriptStarted, "one", 21, 1)
            last = replace(about, origin=run, seq=41), replace(done, origin=run, seq=42)
            yield Observations(run=run, records=last)
            yield Observations(run=run, ended=Ended(log_is_complete=True))

    class Away(InMemoryJobUnitOfWork):
        def commit(self) -> None:
            committed.append(len(told))
            if len(committed) % 2:
                raise Unavailable("it is away")
            super().commit()

    uow = InMemoryJobUnitOfWork()
    script = Script("one", Source("def main(): pass"), retries=Retries(30))
    services.add([script], job_uow=uow, job_id="job")
    given = ("job", Away(uow.repository), Chatty(tmp_path), PLANNER, SystemClock())
    actor = Actor(*given, SILENT, pace_seconds=1800)
    asyncio.run(asyncio.wait_for(actor.drive(), 60))
    assert uow.jobs.get("job").state is JobState.SUCCEEDED
    assert max(later - before for before, later in pairwise(committed)) <= 4
