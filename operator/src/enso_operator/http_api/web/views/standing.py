"""How a job and its attempts stand, where the page says it otherwise than the API does.

The words are those of `finer_states`; here they get their sentences.
"""

from __future__ import annotations

from dataclasses import dataclass

from enso_operator.http_api.port import JobSnapshot
from enso_operator.http_api.web.views.again import runs_again_before
from enso_operator.http_api.web.views.pauses import pause_of
from enso_operator.kube.status.finer_states import (
    CLEANS_UP,
    PAUSES,
    RETRIES,
    STARTS,
    STOPS,
    finer_state,
    is_stopped,
    running_in,
)
from enso_operator.kube.status.retries import retry_time, retrying_script
from job_execution_framework.domain.cause import Reason
from job_execution_framework.domain.final import applies
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.row import Attempt, ScriptState
from job_execution_framework.domain.script import Script
from job_execution_framework.domain.transitions import ENDED, JobState


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
    again: tuple[str, ...] = ()
    """Scripts that run again before that retry, as its session is a new one."""


def standing_of(snapshot: JobSnapshot, job: Job) -> Standing:
    """Return how a job stands."""
    word, running, state = finer_state(job), running_in(job), snapshot.state
    if word == PAUSES:
        after = "" if job.suspended else ", until somebody resumes the job"
        return Standing(state, word, f"{running} is still running; nothing starts after it{after}.")
    if word == STOPS:
        return Standing(state, word, f"{running} is being stopped.")
    if word == CLEANS_UP:
        retry = retry_of(job)
        message = "" if retry else _what_cleans_up(job, running)
        return Standing(state, f"{state}, {word.lower()}", message, retry)
    if job.state is JobState.SUSPENDED:
        return Standing(state, word or state, pause_of(job))
    if word == RETRIES and (retry := retry_of(job)):
        again = tuple(runs_again_before(job, retry.script))
        return Standing(str(JobState.WAITING), word, retry=retry, again=again)
    if word == STARTS:
        message = f"{running} is being stopped first." if running else ""
        return Standing(str(JobState.WAITING), word, message)
    return Standing(state, word or state, _what_was_not_cleaned_up(job))


def _what_cleans_up(job: Job, running: str) -> str:
    if running:
        return f"{running} is {'being stopped' if is_stopped(job, running) else 'running'}."
    to_come = job.finally_to_come()
    return f"{to_come[0].name} is about to run." if to_come else ""


def _what_was_not_cleaned_up(job: Job) -> str:
    if not job.finally_stopped or job.state not in ENDED:
        return ""
    names = ", ".join(script.name for script in job.finals if never_began(job, script))
    return f"Cleaning up was cancelled{f': {names} did not run' if names else ''}."


def never_began(job: Job, script: Script) -> bool:
    """Whether somebody cancelled this finally script before it began."""
    was_due = job.finally_stopped and job.state in ENDED and applies(script, job.outcome)
    return was_due and not job.rows[script.name].has_attempt


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
