"""What to do with a job that was executed before, as both backends say it: it is executed once."""

from __future__ import annotations

from job_execution_framework.domain.transitions import JobState

RESUME = "let it go on with /resume-job"
AGAIN = "to run it once more, add it again"


def what_helps(state: str) -> str:
    """Return it as the end of a sentence; a Suspended job is one that somebody has paused."""
    if state == JobState.SUSPENDED:
        return RESUME
    return f"{RESUME}; {AGAIN}" if state in (JobState.FAILED, JobState.CANCELLED) else AGAIN
