"""The state machine of jobs and scripts: a table of events, and a check. `Job.apply` uses both."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import Enum

from job_execution_framework.domain import events
from job_execution_framework.domain.errors import IllegalTransition
from job_execution_framework.domain.events import COORDINATOR
from job_execution_framework.domain.row import Row, ScriptState


class JobState(str, Enum):
    """The state of a job, as people read it."""

    NEW = "New"
    """Described, but not added to a unit of work yet."""
    WAITING = "Waiting"
    """Nothing of it runs yet: it is to be let go, or its session does not run yet."""
    RUNNING = "Running"
    """A session runs its scripts."""
    SUSPENDED = "Suspended"
    """Its spec, or somebody's pause, keeps it from starting another script."""
    SUCCEEDED = "Succeeded"
    """Every script is done."""
    FAILED = "Failed"
    """It ended at a failure; a resume goes on from there."""
    CANCELLED = "Cancelled"
    """Somebody stopped it; a resume goes on from there."""

    def __str__(self) -> str:
        return self.value


_J, _S = JobState, ScriptState

ENDED = frozenset({_J.SUCCEEDED, _J.FAILED, _J.CANCELLED})
_LIVE = frozenset({_J.WAITING, _J.RUNNING, _J.SUSPENDED})
_STARTED = frozenset(_J) - {_J.NEW, _J.WAITING}
_UNLESS_DONE = frozenset(_J) - {_J.NEW, _J.SUCCEEDED}
_ANY, _IDLE = frozenset(_S), frozenset(_S) - {_S.RUNNING}


@dataclass(frozen=True)
class Rule:
    """When an event may happen, and what follows."""

    jobs: AbstractSet[JobState]
    """The job's states in which it may happen."""
    scripts: AbstractSet[ScriptState] = frozenset()
    """The states of its script in which it may happen."""
    job_then: JobState | None = None
    """The job's state after it; None where it stays as it is."""
    script_then: ScriptState | None = None
    """The script's state after it; None where it stays as it is."""
    by_session: bool = False
    """Sessions may write it. Without this only the coordinator may."""


RULES: dict[type[events.Event], Rule] = {
    events.JobAdded: Rule({_J.NEW}, job_then=_J.WAITING),
    events.JobStarted: Rule({_J.WAITING}, job_then=_J.RUNNING),
    # A job is Suspended by its spec, by a pause, or by both, and continues when by neither.
    events.JobSuspended: Rule(_LIVE, job_then=_J.SUSPENDED),
    events.JobUnsuspended: Rule({_J.SUSPENDED}, job_then=_J.RUNNING),
    events.JobPaused: Rule(_LIVE, job_then=_J.SUSPENDED),
    events.JobUnpaused: Rule(_LIVE, job_then=_J.RUNNING),
    events.JobResumed: Rule(ENDED, job_then=_J.RUNNING),
    events.JobSucceeded: Rule({_J.RUNNING, _J.SUSPENDED}, job_then=_J.SUCCEEDED),
    # A job that has succeeded fails if one of its finally scripts does.
    events.JobFailed: Rule(_LIVE | {_J.SUCCEEDED}, job_then=_J.FAILED),
    events.JobCancelled: Rule(_LIVE, job_then=_J.CANCELLED),
    events.FinallyCancelled: Rule(ENDED),
    # Of a job whose end was decided those of its finally scripts.
    events.SessionOpened: Rule(ENDED | {_J.RUNNING}),
    # A session may run on for a while after its job has ended, and its records still count.
    events.SessionEnded: Rule(_STARTED),
    events.InterpreterLost: Rule(_STARTED, by_session=True),
    events.ScriptStarted: Rule(_STARTED, _IDLE, script_then=_S.RUNNING, by_session=True),
    events.ScriptSucceeded: Rule(_STARTED, {_S.RUNNING}, script_then=_S.SUCCEEDED, by_session=True),
    events.ScriptFailed: Rule(_STARTED, {_S.RUNNING}, script_then=_S.FAILED, by_session=True),
    events.ScriptInterrupted: Rule(_STARTED, _ANY, script_then=_S.INTERRUPTED),
    events.ScriptRetrying: Rule(_STARTED, {_S.FAILED}, by_session=True),
    events.ScriptRetryForced: Rule(_LIVE, _IDLE),
    events.SkipRequested: Rule(_LIVE, _ANY),
    # That the session was asked to skip the script is checked by whoever reads its records.
    events.ScriptSkipped: Rule(_UNLESS_DONE, _IDLE, script_then=_S.SKIPPED, by_session=True),
}


def check(
    event: events.Event, state: JobState, run: events.SessionOpened | None, rows: Mapping[str, Row]
) -> None:
    """Raise IllegalTransition unless `event` can happen to a job in this state.

    `run` is its open session run, `rows` are its scripts.
    """
    rule, what = RULES[type(event)], type(event).__name__
    opened = run.run if run else "no session"
    if state not in rule.jobs:
        raise IllegalTransition(f"the job is {state}: {what} cannot happen now")
    if isinstance(event, events.SessionOpened) and run is not None:
        raise IllegalTransition(f"{event.run} cannot open while {opened} is open")
    if isinstance(event, events.SessionEnded) and opened != event.run:
        raise IllegalTransition(f"{event.run} ended, but {opened} is open")
    if event.origin != COORDINATOR:
        if opened != event.origin:
            raise IllegalTransition(f"{event.origin} wrote {what}, but {opened} is open")
        if not rule.by_session:
            raise IllegalTransition(f"{event.origin} may not write {what}")
    if isinstance(event, events.ScriptEvent):
        _check_script(event, run, rows)


def _check_script(
    event: events.ScriptEvent, run: events.SessionOpened | None, rows: Mapping[str, Row]
) -> None:
    what, script = type(event).__name__, event.script
    if script not in rows:
        raise IllegalTransition(f"the job has no script {script!r}")
    state, latest = rows[script].state, rows[script].attempt
    if state not in RULES[type(event)].scripts:
        raise IllegalTransition(f"script {script} is {state}: {what} cannot happen now")
    fresh = isinstance(event, events.ScriptStarted) or (
        isinstance(event, events.ScriptInterrupted) and state is not ScriptState.RUNNING
    )
    if event.attempt != latest + fresh:
        raise IllegalTransition(f"script {script}: {what} of attempt {event.attempt}, not {latest}")
    if event.origin != COORDINATOR and run and script not in run.scripts:
        raise IllegalTransition(f"script {script} is not in the plan of {event.origin}")
