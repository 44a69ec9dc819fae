"""What a job's events must say after the loss of a session."""

from __future__ import annotations

from job_execution_framework.domain import events
from job_execution_framework.domain.job import Job

_ENDS = (events.JobSucceeded, events.JobFailed, events.JobCancelled)


def in_doubt(job: Job, run: str, script: str) -> bool:
    """Whether an event records that the script's outcome in `run` is unknown."""
    recorded = job.events
    opened = next(i for i, event in enumerate(recorded) if _is_opening(event, run))
    return any(
        isinstance(event, events.ScriptInterrupted) and event.script == script
        for event in recorded[opened:]
    )


def _is_opening(event: events.Event, run: str) -> bool:
    return isinstance(event, events.SessionOpened) and event.run == run


def assert_waited_after_loss(job: Job, session: str, now: float) -> None:
    """Assert that the job waited after the loss of a session, unless it was resumed since."""
    lost_at, opened, before = 0.0, "", ""
    for event in job.events:
        if isinstance(event, events.SessionOpened):
            opened = event.run
        elif isinstance(event, (events.JobResumed, events.ScriptRetryForced, *_ENDS)):
            lost_at = 0.0
        elif isinstance(event, events.SessionEnded) and event.cause and event.run != before:
            of = event.run.rpartition("-")[0]
            lost_at = event.at if of == session else lost_at
        if isinstance(event, (events.JobResumed, events.JobUnpaused, *_ENDS)):
            before = opened  # this run belongs to the time before the resume
    if lost_at:
        pause = job.session(session).lost_backoff_seconds
        assert now >= lost_at + pause, "it did not wait after its loss"
