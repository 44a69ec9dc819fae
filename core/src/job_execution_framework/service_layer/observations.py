"""What a coordinator observes of a job: the input of `services.reconcile`.

Adapters of sessions (`enso_operator.sessions`) make what is about the session, the coordinator
(`enso_operator.coordinator`) adds the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

from job_execution_framework.domain import checkpoint
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.events import Event
from job_execution_framework.domain.going_on import is_past
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.progress import Progress
from job_execution_framework.domain.row import ScriptState

LONGEST_REASON = 20
"""Characters of the reason of an `Outcome`."""


@dataclass(frozen=True)
class Outcome:
    """The latest state of a script that is known from another source than its session's records."""

    script: str
    attempt: int
    state: ScriptState
    reason: str = ""
    """The reason of a failure, which is all that is known of its cause; perhaps only its begin."""


@dataclass(frozen=True)
class Ended:
    """The open session has certainly ended."""

    log_is_complete: bool
    """Whether its records were read up to its final one."""
    cause: Cause | None = None
    """Why it was lost; None where it ended in order."""
    outcomes: tuple[Outcome, ...] = ()
    """States of its scripts from other sources, as some of its records may be lost."""
    killed: tuple[str, ...] = ()
    """Processes that its scripts left running and that had to be killed."""

    def cause_of_unknown(self) -> Cause:
        """Return why scripts of the session were interrupted, if their outcome is not known."""
        return self.cause or Cause(Reason.SESSION_LOST, "the session ended without a word of it")


@dataclass(frozen=True)
class Observations:
    """What was observed since the last time. It may be repeated: nothing is recorded twice."""

    records: tuple[Event, ...] = ()
    """What the open session wrote. Records that were applied before change nothing."""
    ended: Ended | None = None
    broken: Cause | None = None
    """Why the job cannot continue with its present spec; it then fails at once."""
    waits: Cause | None = None
    """What the job waits for now. Its failure names this where it misses its deadline."""
    run: str = ""
    """The session run that `records` and `ended` belong to: the open one where this is empty.
    Those of a run that is not open any more are ignored."""
    progress: Progress | None = None
    """The latest progress of what runs. It is not recorded: the coordinator may show it."""


def unknown_outcomes(job: Job, *, log_is_complete: bool) -> list[tuple[str, int]]:
    """Return the scripts, with their attempts, whose outcome in the ended session is not known.

    That is a script which started and has no outcome. Where the log is not complete, it is also
    every script that the session could have started since: the record of its start may be lost.
    """
    plan = [job.script(name) for name in job.open_run.scripts] if job.open_run else []
    rows = job.rows
    running = [script.name for script in plan if rows[script.name].state is ScriptState.RUNNING]
    unknown = [(name, rows[name].attempt) for name in running]
    goal = checkpoint.first_undone(plan, rows)
    # After a script without retries left the session starts no other.
    stopped = any(
        rows[script.name].failed_for_good(script.retries) and not is_past(script, rows[script.name])
        for script in plan
    )
    if log_is_complete or goal is None or stopped:
        return unknown
    # A job that was resumed meanwhile may run more than this session was given.
    ahead = [script for script in checkpoint.to_run(job.scripts, rows, goal) if script in plan]
    # After a retry in a new interpreter the session runs the scripts again that were in memory.
    retries = any(rows[script.name].may_be_retried(script.retries) for script in ahead)
    return unknown + [
        (script.name, rows[script.name].attempt + 1)
        for script in ahead
        if (retries or script.name not in job.warm) and script.name not in running
    ]
