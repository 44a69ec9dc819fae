"""What a coordinator sees of the world: the input of `services.reconcile`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from job_execution_framework.domain import checkpoint
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.events import Event
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.row import ScriptState
from job_execution_framework.domain.script import Script


@dataclass(frozen=True)
class Ended:
    """The open session is gone for certain."""

    log_is_complete: bool
    """Its records were read up to its final one."""
    cause: Cause | None = None
    """Why it was lost; None where it ended in order."""

    def doubt(self) -> Cause:
        """Return the cause of scripts whose outcome nobody can know."""
        return self.cause or Cause(Reason.SESSION_LOST, "the session ended without a word of it")


@dataclass(frozen=True)
class Cancel:
    """Somebody wants the job to stop."""

    by: str = ""
    why: str = ""


@dataclass(frozen=True)
class Observations:
    """What was seen since the last time. Wishes are levels, not edges: they may be repeated."""

    records: tuple[Event, ...] = ()
    """What the open session wrote, from any point on: what was seen before changes nothing."""
    ended: Ended | None = None
    suspend: bool | None = None
    """The user's wish; None where none is known."""
    cancel: Cancel | None = None


def doubtful(job: Job, *, log_is_complete: bool) -> Iterator[tuple[str, int]]:
    """Yield the scripts, with their attempts, whose outcome in the dead session nobody can know.

    A started script without an outcome is in doubt. Where the log is not complete, so is every
    script that the session could have started since: its start may be among what was lost.
    """
    plan = [job.script(name) for name in job.run.scripts] if job.run else []
    for script in plan:
        row = job.rows[script.name]
        if row.state is ScriptState.RUNNING:
            yield script.name, row.attempt
    goal = checkpoint.first_undone(plan, job.rows)
    if log_is_complete or goal is None or _stopped(job, plan):
        return
    for script in checkpoint.to_run(job.scripts, job.rows, goal):
        row = job.rows[script.name]
        if script.name not in job.warm and row.state is not ScriptState.RUNNING:
            yield script.name, row.attempt + 1


def _stopped(job: Job, plan: list[Script]) -> bool:
    """Whether a script failed for good, after which the session starts nothing."""
    return any(job.rows[script.name].failures > script.retries.limit for script in plan)
