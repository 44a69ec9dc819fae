"""Which session run has the output of the script for which a job failed."""

from __future__ import annotations

from job_execution_framework.domain.events import SessionOpened
from job_execution_framework.domain.job import Job


def failed_run(job: Job) -> str:
    """Return the latest run that was to start the script that failed, or else the job's latest.

    Finally scripts have runs of their own after it. "" where no session was opened.
    """
    opened = [event for event in job.events if isinstance(event, SessionOpened)]
    failed = job.failure.script if job.failure else ""
    own = [event for event in opened if failed in event.scripts]
    return next((event.run for event in reversed(own or opened)), "")
