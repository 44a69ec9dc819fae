"""Jobs of three scripts in one session, in every state in which actions may be done on them."""

from __future__ import annotations

from collections.abc import Callable

from job_execution_framework.domain import events
from job_execution_framework.domain.actions import Action, Cancel, Pause, Suspend
from job_execution_framework.domain.cause import Cause
from job_execution_framework.domain.job import Job
from tests.support.jobs import job_of

CAUSE = Cause("Exception", "it broke")


def waiting() -> Job:
    """Return a job of three scripts that has not started."""
    job = job_of("open.setup do.retry1 save", backoff=30)
    job.record(events.JobAdded(at=0))
    return job


def running() -> Job:
    """Return a job whose second script runs."""
    job = waiting()
    job.record(events.JobStarted(at=1))
    opened = events.SessionOpened(
        at=1, run="s1-1", session="s1", uid="u", scripts=("open", "do", "save")
    )
    job.record(opened)
    record_in_session(job, events.ScriptStarted, "open")
    record_in_session(job, events.ScriptSucceeded, "open")
    record_in_session(job, events.ScriptStarted, "do")
    return job


def record_in_session(
    job: Job, kind: type[events.ScriptEvent], script: str, attempt: int = 1
) -> None:
    """Record a script event of the open session."""
    job.origin = "s1-1"
    details = {"cause": CAUSE} if kind is events.ScriptFailed else {}
    job.record(job.script_event(kind, script, attempt, 2, **details))
    job.origin = events.COORDINATOR


def retrying() -> Job:
    job = running()
    record_in_session(job, events.ScriptFailed, "do")
    record_in_session(job, events.ScriptRetrying, "do")
    return job


def pausing() -> Job:
    return after(running(), Pause(after="save"))


def paused() -> Job:
    return after(running(), Pause())


def suspended() -> Job:
    return after(running(), Suspend())


def paused_and_suspended() -> Job:
    return after(suspended(), Pause())


def succeeded() -> Job:
    job = running()
    record_in_session(job, events.ScriptSucceeded, "do")
    record_in_session(job, events.ScriptStarted, "save")
    record_in_session(job, events.ScriptSucceeded, "save")
    job.record(events.SessionEnded(at=3, run="s1-1"))
    job.record(events.JobSucceeded(at=3))
    return job


def ending() -> Job:
    """Return a job that has failed, but whose session has not ended yet."""
    job = running()
    record_in_session(job, events.ScriptFailed, "do")
    job.record(events.JobFailed(at=3, cause=CAUSE, script="do"))
    return job


def failed() -> Job:
    job = ending()
    job.record(events.SessionEnded(at=3, run="s1-1"))
    return job


def stopping() -> Job:
    """Return a job that is cancelled, but whose running script has not been stopped yet."""
    return after(running(), Cancel())


def cancelled() -> Job:
    return after(waiting(), Cancel())


def after(job: Job, *actions: Action) -> Job:
    for action in actions:
        job.obey(action, 3)
    return job


JOBS: dict[str, Callable[[], Job]] = {
    "Waiting": waiting,
    "Running": running,
    "Retrying": retrying,
    "Pausing": pausing,
    "Paused": paused,
    "Suspended": suspended,
    "Both": paused_and_suspended,
    "Succeeded": succeeded,
    "Ending": ending,
    "Failed": failed,
    "Stopping": stopping,
    "Cancelled": cancelled,
}
