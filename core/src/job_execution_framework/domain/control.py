"""The control of a running session: whether it shall pause, cancel, skip or retry scripts.

`control_of` derives the control from a job. The coordinator sends it to the session whenever it has
changed; the session follows it before it starts a script (`service_layer.services.execute`).
"""

from __future__ import annotations

from dataclasses import dataclass

from job_execution_framework.domain import checkpoint
from job_execution_framework.domain.events import JobResumed
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.row import ScriptState
from job_execution_framework.domain.script import Script
from job_execution_framework.domain.transitions import ENDED, JobState


@dataclass(frozen=True)
class SessionControl:
    """What a running session shall do; with the defaults: run its scripts as planned.

    Each control replaces the one before it: a request that the new one lacks is withdrawn.
    """

    cancel: bool = False
    """Terminate the running script and start no other. A cancel cannot be withdrawn."""
    pause: bool = False
    """Let the running script end, and start no other."""
    after: str = ""
    """Pause only once this script is done."""
    skip: tuple[str, ...] = ()
    """Record that these scripts are skipped, unless they were started before."""
    retry: str = ""
    """Start the next attempt of this script now, if the script waits for it."""
    attempt: int = 0
    """The number of the failed attempt of script `retry`; a later attempt is not forced."""

    @property
    def stops(self) -> bool:
        """Whether no attempt of any script may be started."""
        return self.cancel or (self.pause and not self.after)


GO_ON, PAUSE, CANCEL = SessionControl(), SessionControl(pause=True), SessionControl(cancel=True)


def control_of(job: Job) -> SessionControl:
    """Return the control for the open session run of a job."""
    if job.runs_finally:
        return CANCEL if job.finally_stopped else GO_ON
    if job.state in ENDED or isinstance(job.closing, JobResumed):
        return CANCEL
    if job.state is JobState.SUSPENDED or job.closing:
        return PAUSE
    after = job.paused.after if job.paused else ""
    is_asked = any(row.retry_forced for row in job.rows.values())  # seldom: this is on every turn
    script = retrying(job) if is_asked else None
    forced = script and job.rows[script.name].retry_forced
    return SessionControl(
        pause=bool(after),
        after=after,
        skip=tuple(
            name for name, row in job.rows.items() if row.skip_requested and not job.is_done(name)
        ),
        retry=script.name if script and forced else "",
        attempt=job.rows[script.name].attempt if script and forced else 0,
    )


def retrying(job: Job) -> Script | None:
    """Return the script that waits for its next attempt, or for a new session; else None."""
    goal = checkpoint.first_undone(job.main, job.rows)
    if goal is None or job.failure_at(goal):
        return None
    for script in [*checkpoint.to_replay(job.main, job.rows, goal), goal]:
        row = job.rows[script.name]
        if row.failures and row.state is ScriptState.FAILED and not job.failure_at(script):
            return script
    return goal if goal.session in job.lost and job.open_run is None else None
