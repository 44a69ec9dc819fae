"""How each event changes a job. `Job.apply` alone calls this, after its checks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from job_execution_framework.domain import events
from job_execution_framework.domain.row import ATTEMPTS_KEPT, Attempt, Row, ScriptState
from job_execution_framework.domain.transitions import JobState

if TYPE_CHECKING:
    from job_execution_framework.domain.job import Job


def fold(job: Job, event: events.Event) -> None:
    """Change `job` as `event` says; the event is known to be possible now."""
    if isinstance(event, events.ScriptEvent):
        job.rows[event.script] = _row(job.rows[event.script], event)
        if isinstance(event, events.ScriptSucceeded):
            job.warm |= {event.script}
    elif isinstance(event, events.JobEvent):
        _fold_job(job, event)
    elif isinstance(event, events.SessionOpened):
        job.run, job.warm = event, frozenset()
        job.runs[event.session] = job.runs.get(event.session, 0) + 1
    elif isinstance(event, events.SessionEnded):
        if job.run and event.cause:
            losses = job.lost.get(job.run.session, (0, None))[0]
            job.lost[job.run.session] = (losses + 1, event.cause)
        job.run, job.warm = None, frozenset()
    elif isinstance(event, events.InterpreterLost):
        job.warm = frozenset()


def _fold_job(job: Job, event: events.JobEvent) -> None:
    if isinstance(event, events.JobResumed):
        _resume(job, event)
    states: dict[type[events.JobEvent], JobState] = {
        events.JobAdded: JobState.WAITING,
        events.JobStarted: JobState.RUNNING,
        events.JobSuspended: JobState.SUSPENDED,
        events.JobUnsuspended: JobState.WAITING if job.started_at is None else JobState.RUNNING,
        events.JobResumed: JobState.RUNNING,
        events.JobSucceeded: JobState.SUCCEEDED,
        events.JobFailed: JobState.FAILED,
        events.JobCancelled: JobState.CANCELLED,
    }
    job.state = states[type(event)]
    if isinstance(event, events.JobStarted):
        job.started_at = event.at
    elif isinstance(event, (events.JobSucceeded, events.JobFailed, events.JobCancelled)):
        job.ended_at = event.at
    if isinstance(event, events.JobFailed):
        job.failure = event


def _resume(job: Job, event: events.JobResumed) -> None:
    """Forget what was counted, and what `from_script` names; what is done stays done."""
    job.warm, job.failure, job.ended_at, job.lost = frozenset(), None, None, {}
    job.resumed_at, job.resumes = event.at, job.resumes + 1
    if job.started_at is None:  # cancelled before its start
        job.started_at = event.at
    again = False
    for name, row in job.rows.items():
        again = again or name == event.from_script
        job.rows[name] = replace(
            row,
            failures=0,
            done=row.done and not again,
            succeeded=row.succeeded and not again,
        )


def _row(row: Row, event: events.ScriptEvent) -> Row:
    latest = row.latest
    if isinstance(event, events.ScriptStarted):
        started = Attempt(event.attempt, ScriptState.RUNNING, started_at=event.at)
        return replace(row, latest=started, earlier=_earlier(row))
    if isinstance(event, events.ScriptSucceeded):
        ended = replace(
            latest,
            state=ScriptState.SUCCEEDED,
            ended_at=event.at,
            seconds=event.seconds,
            output=event.output,
        )
        return replace(row, latest=ended, done=True, succeeded=True)
    if isinstance(event, events.ScriptFailed):
        ended = replace(
            latest,
            state=ScriptState.FAILED,
            ended_at=event.at,
            seconds=event.seconds,
            cause=event.cause,
        )
        return replace(row, latest=ended, failures=row.failures + 1)
    if isinstance(event, events.ScriptInterrupted):
        in_doubt = Attempt(event.attempt, ScriptState.INTERRUPTED, ended_at=event.at)
        if latest.number == event.attempt:
            in_doubt = replace(latest, state=ScriptState.INTERRUPTED, ended_at=event.at)
            return replace(row, latest=replace(in_doubt, cause=event.cause))
        return replace(row, latest=replace(in_doubt, cause=event.cause), earlier=_earlier(row))
    if isinstance(event, events.ScriptSkipped):
        skipped = replace(latest, state=ScriptState.SKIPPED, ended_at=event.at)
        return replace(row, latest=skipped, done=True, succeeded=False)
    return row  # ScriptRetrying tells people; the row knows already


def _earlier(row: Row) -> tuple[Attempt, ...]:
    return (*row.earlier, row.latest)[-ATTEMPTS_KEPT:] if row.attempt else row.earlier
