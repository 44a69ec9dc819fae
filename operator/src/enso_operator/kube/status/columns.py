"""What the columns of `kubectl get ensojob` say of a job.

`write.py` puts them into the status of an EnsoJob, from which the API server makes its table; the
HTTP API says the same of jobs in memory.
"""

from __future__ import annotations

from dataclasses import replace

from enso_operator.kube.status.conditions import shown_state
from enso_operator.kube.status.fields import identifier, one_line
from enso_operator.kube.status.finer_states import PAUSED, STARTS, finer_state, identifier_of
from enso_operator.kube.status.retries import awaited_retry, retrying_script
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.checkpoint import first_undone
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.progress import percentage
from job_execution_framework.domain.row import ScriptState
from job_execution_framework.domain.transitions import JobState


def done(job: Job) -> str:
    """Return how many of its scripts are done, such as ``2/4``."""
    return f"{sum(job.rows[script.name].done for script in job.main)}/{len(job.main)}"


def current_script(job: Job) -> str | None:
    """Return the script that runs, waits for its next attempt, or at which the job ended.

    Of a job that failed or was cancelled it is that one also while finally scripts run: the reason
    beside it is not theirs.
    """
    if job.failure:
        return job.failure.script or None
    if job.state is JobState.CANCELLED:
        return _cancelled_at(job)
    for name, row in job.rows.items():
        if row.state is ScriptState.RUNNING:
            return name
    waiting = retrying_script(job) if awaited_retry(job) else None
    return waiting.name if waiting else None


def activity(job: Job) -> str | None:
    """Return what it does, such as ``CleaningUp``, where neither state nor reason says it."""
    word = finer_state(job)
    waits_to_start = word == STARTS and shown_state(job) is JobState.WAITING
    return None if waits_to_start or word == PAUSED else identifier_of(word) or None


def _cancelled_at(job: Job) -> str | None:
    """Return the script that was stopped, or was to be tried again; None where none had begun."""
    for script in job.main:
        row = job.rows[script.name]
        is_stopped = row.latest.cause and row.latest.cause.reason == Reason.CANCELLED
        if row.state is ScriptState.RUNNING or is_stopped:
            return script.name
    goal = first_undone(job.main, job.rows)
    return goal.name if goal and job.rows[goal.name].has_attempt else None


def progress(job: Job) -> str | None:
    """Return the percentage that the current script has told, such as ``42.5%``."""
    said = job.progress_of(current_script(job) or "")
    return (percentage(said.percent) or None) if said else None


def reason(job: Job, waits: Cause | None) -> str | None:
    """Return for which reason it failed, or waits."""
    cause = job.failure.cause if job.failure else waits
    if cause is None and finer_state(job) == PAUSED:
        return PAUSED  # one that only its spec suspends has no reason, nor one whose script runs
    return identifier(cause.reason) if cause else None


def error(job: Job) -> str | None:
    """Return the type of the exception with which it failed."""
    return (one_line(job.failure.cause.error) or None) if job.failure else None


def waits(job: Job, session: Cause | None = None) -> Cause | None:
    """Return why the job waits, if it does; `session` is why its session does not run yet."""
    return None if job.finished else session or _loss_backoff(job) or awaited_retry(job)


def _loss_backoff(job: Job) -> Cause | None:
    """Return why a job waits whose lost session will be replaced; None for any other job."""
    goal = job.goal
    lost = job.lost.get(goal.session) if goal else None
    if not (goal and lost and is_to_be_replaced(job, goal.session)):
        return None
    seconds = job.session(goal.session).lost_backoff_seconds
    what = f"session {goal.session} was lost, and is replaced {seconds:g} s later"
    return replace(lost.cause, message=f"{what}: {lost.cause.message}", error="")


def is_to_be_replaced(job: Job, name: str) -> bool:
    """Whether the loss of a session is the latest event, and the job may replace the session."""
    lost, session = job.lost.get(name), job.session(name)
    if lost is None or job.open_run or job.state is not JobState.RUNNING:
        return False
    since = [row.latest.ended_at or 0 for row in job.rows.values()]
    is_last = max(since) <= lost.at and session.lost_backoff_seconds > 0
    return is_last and not lost.exceed(session)
