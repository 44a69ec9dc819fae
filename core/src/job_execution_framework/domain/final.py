"""The finally scripts of a job: what they find out about its end, and which of them run.

Once the end of a job is decided they run, in order, in session runs of their own. The job is
finished when they are over. `Job` asks here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from job_execution_framework.domain.losses import Losses
from job_execution_framework.domain.row import Row, ScriptState
from job_execution_framework.domain.script import FINALLY, Script, Session, When
from job_execution_framework.domain.transitions import JobState


@dataclass(frozen=True)
class JobEnd:
    """How the end of a job was decided, as its finally scripts find it; empty before."""

    state: str = ""
    failed_script: str = ""
    reason: str = ""


NOT_ENDED = JobEnd()


def applies(script: Script, outcome: JobState) -> bool:
    """Whether a finally script runs after a job that ended so; a cancelled one has not failed."""
    if script.when is When.ALWAYS:
        return True
    return outcome is (JobState.SUCCEEDED if script.when is When.SUCCEEDED else JobState.FAILED)


def has_failed(script: Script, row: Row, lost: Losses | None, session: Session) -> bool:
    """Whether a finally script is not started again at this end, though it did not succeed."""
    if row.state is ScriptState.INTERRUPTED:
        return lost is not None and lost.exceed(session)
    return row.state is ScriptState.FAILED and row.failed_for_good(script.retries)


def session_of_finally(first: Session) -> Session:
    """Return the session of finally scripts that name none, by the job's first one."""
    return replace(first, name=FINALLY, retry_lost=0, lost_backoff_seconds=0)
