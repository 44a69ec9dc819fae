"""How a job stands, in a word that is finer than its state.

The state is what the API says, the column STATUS shows, and lists are filtered by. The page shows
this word beside it, and so does the column ACTIVITY: a job that shall pause runs on until its
script ends, say, and one that was cancelled until its script has stopped.
"""

from __future__ import annotations

import re

from enso_operator.kube.status.conditions import shown_state
from enso_operator.kube.status.retries import retrying_script
from job_execution_framework.domain.events import JobResumed
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.row import ScriptState
from job_execution_framework.domain.transitions import JobState

PAUSES, PAUSED = "Pausing", "Paused"
STOPS, CLEANS_UP = "Cancelling", "Cleaning up"
RETRIES, STARTS = "Waiting for retry", "Waiting to start"


def finer_state(job: Job) -> str:
    """Return the finer word; "" where the state says it."""
    running = running_in(job)
    if job.state is JobState.SUSPENDED:
        return PAUSES if running else PAUSED if job.paused else ""
    if job.state is JobState.CANCELLED and running and not job.script(running).is_final:
        return STOPS
    if job.cleans_up:
        return CLEANS_UP
    if job.state is not JobState.RUNNING:
        return ""
    if running:
        return STARTS if starts_anew(job) else ""
    if retrying_script(job):
        return RETRIES
    return STARTS if shown_state(job) is JobState.WAITING else ""


def identifier_of(word: str) -> str:
    """Return the word as it stands in a status: ``CleaningUp``."""
    return "".join(part.capitalize() for part in word.split())


def word_of(identifier: str) -> str:
    """Return the word that stands in a status, as people read it; also one of a newer operator."""
    return re.sub("(?<!^)[A-Z]", lambda capital: f" {capital[0].lower()}", identifier)


def running_in(job: Job) -> str:
    """Return the script that runs; "" where none does."""
    return next((name for name, row in job.rows.items() if row.state is ScriptState.RUNNING), "")


def starts_anew(job: Job) -> bool:
    """Whether it was resumed, and what of it ran before has still to stop."""
    return isinstance(job.closing, JobResumed)


def is_stopped(job: Job, name: str) -> bool:
    """Whether this script, which runs, is being ended: the job goes no further with it."""
    if job.script(name).is_final:
        return job.finally_stopped or starts_anew(job)
    return job.state is JobState.CANCELLED or starts_anew(job)
