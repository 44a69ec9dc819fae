"""How a job and its attempts stand, where the page says it otherwise than the API does.

A job that shall pause runs on until its script ends, and one that was cancelled until its script
has stopped. One that waits for a retry runs nothing. A script that was stopped with its job did not
fail.
"""

from __future__ import annotations

from dataclasses import dataclass

from enso_operator.http_api.port import JobSnapshot
from enso_operator.kube.status.retries import retry_time, retrying_script
from job_execution_framework.domain.cause import Reason
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.row import Attempt, ScriptState
from job_execution_framework.domain.script import Script
from job_execution_framework.domain.transitions import ENDED, JobState

WAITS, PAUSES, STOPS = "Waiting for retry", "Pausing", "Cancelling"


@dataclass(frozen=True)
class Retry:
    """The attempt of a script for which a job waits."""

    script: str
    attempt: int
    at: float | None
    """When it starts; None where that is when a session runs."""
    which: str
    """Which retry of which budget it is."""
    why: str
    """Why the attempt before it failed."""


@dataclass(frozen=True)
class Standing:
    """How a job stands."""

    look: str
    """The state whose colour and shape it has."""
    word: str
    message: str = ""
    retry: Retry | None = None


def standing_of(snapshot: JobSnapshot, job: Job) -> Standing:
    """Return how a job stands."""
    running = running_in(job)
    if running and job.state is JobState.SUSPENDED:
        after = "" if job.suspended else ", until somebody resumes the job"
        message = f"{running} is still running; nothing starts after it{after}."
        return Standing(snapshot.state, PAUSES, message)
    if running and job.state is JobState.CANCELLED and not job.script(running).is_final:
        return Standing(snapshot.state, STOPS, f"{running} is being stopped.")
    if retry := retry_of(job):
        return Standing(str(JobState.WAITING), WAITS, retry=retry)
    return Standing(snapshot.state, snapshot.state)


def running_in(job: Job) -> str:
    """Return the script that runs; "" where none does."""
    return next((name for name, row in job.rows.items() if row.state is ScriptState.RUNNING), "")


def pauses_after(job: Job, script: Script) -> bool:
    """Whether will pause after this script, which is not over yet."""
    if job.state in ENDED:
        return False
    if job.state is JobState.SUSPENDED:
        return job.rows[script.name].state is ScriptState.RUNNING
    return job.paused is not None and job.paused.after == script.name


def retry_of(job: Job) -> Retry | None:
    """Return the retry for which a job waits, if it waits for one."""
    script = retrying_script(job)
    if script is None:
        return None
    row = job.rows[script.name]
    return Retry(
        script.name,
        row.attempt + 1,
        retry_time(job, row, script.retries),
        row.next_retry(script.retries),
        str(row.latest.cause) if row.latest.cause else "",
    )


def state_of(attempt: Attempt) -> str:
    """Return the state of an attempt; one that was stopped with its job is not called failed."""
    cause = attempt.cause
    if attempt.state is ScriptState.FAILED and cause and cause.reason == Reason.CANCELLED:
        return str(JobState.CANCELLED)
    return str(attempt.state)
