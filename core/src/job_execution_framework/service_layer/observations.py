"""What a coordinator sees of the world: the input of `services.reconcile`."""

from __future__ import annotations

from dataclasses import dataclass

from job_execution_framework.domain import checkpoint
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.events import Event
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.row import ScriptState


@dataclass(frozen=True)
class Outcome:
    """How the latest attempt of a script stood when its session was last heard of."""

    script: str
    attempt: int
    state: ScriptState
    reason: str = ""
    """Of a failure: all that is known of its cause."""


@dataclass(frozen=True)
class Ended:
    """The open session is gone for certain."""

    log_is_complete: bool
    """Its records were read up to its final one."""
    cause: Cause | None = None
    """Why it was lost; None where it ended in order."""
    outcomes: tuple[Outcome, ...] = ()
    """What is known beside its records, some of which may be lost."""
    killed: tuple[str, ...] = ()
    """What its scripts had left running, and what did not end by itself."""

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
    broken: Cause | None = None
    """Why the job cannot go on as it is described now, whatever its scripts do."""
    waits: Cause | None = None
    """What keeps the job from going on, a level, too: told where the job fails of its deadline."""
    run: str = ""
    """The session run that `records` and `ended` are of. Once it is not the open one, they are old
    news and change nothing; left empty, they are taken to be of the open one."""


def doubtful(job: Job, *, log_is_complete: bool) -> list[tuple[str, int]]:
    """Return the scripts, with their attempts, whose outcome in the dead session nobody can know.

    A started script without an outcome is in doubt. Where the log is not complete, so is every
    script that the session could have started since: its start may be among what was lost.
    """
    plan = [job.script(name) for name in job.open_run.scripts] if job.open_run else []
    rows = job.rows
    running = [s.name for s in plan if rows[s.name].state is ScriptState.RUNNING]
    doubts = [(name, rows[name].attempt) for name in running]
    goal = checkpoint.first_undone(plan, rows)
    # After a script that failed for good the session starts nothing.
    stopped = any(rows[script.name].failed_for_good(script.retries) for script in plan)
    if log_is_complete or goal is None or stopped:
        return doubts
    ahead = checkpoint.to_run(job.scripts, rows, goal)
    # A retry after a lost interpreter would have started again what is warm as far as we know.
    retries = any(rows[script.name].retries_left(script.retries) > 0 for script in ahead)
    return doubts + [
        (script.name, rows[script.name].attempt + 1)
        for script in ahead
        if (retries or script.name not in job.warm) and script.name not in running
    ]
