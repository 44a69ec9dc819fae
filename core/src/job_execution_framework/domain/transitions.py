"""Which event may happen in which state: the whole state machine, as two tables and a check."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from job_execution_framework.domain import events
from job_execution_framework.domain.errors import IllegalTransition
from job_execution_framework.domain.events import COORDINATOR
from job_execution_framework.domain.row import Row, ScriptState


class JobState(str, Enum):
    """Where a job stands; the word that people read."""

    NEW = "New"
    """Described, and not yet added to anything."""
    WAITING = "Waiting"
    RUNNING = "Running"
    SUSPENDED = "Suspended"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELLED = "Cancelled"

    def __str__(self) -> str:
        return self.value


_J, _S = JobState, ScriptState

ENDED = frozenset({_J.SUCCEEDED, _J.FAILED, _J.CANCELLED})
_LIVE = frozenset({_J.WAITING, _J.RUNNING, _J.SUSPENDED})
_STARTED = frozenset(_J) - {_J.NEW, _J.WAITING}

JOB_STATES: dict[type[events.Event], frozenset[JobState]] = {
    events.JobAdded: frozenset({_J.NEW}),
    events.JobStarted: frozenset({_J.WAITING}),
    events.JobSuspended: frozenset({_J.WAITING, _J.RUNNING}),
    events.JobUnsuspended: frozenset({_J.SUSPENDED}),
    events.JobResumed: ENDED,
    events.JobSucceeded: frozenset({_J.RUNNING, _J.SUSPENDED}),
    events.JobFailed: _LIVE,
    events.JobCancelled: _LIVE,
    events.SessionOpened: frozenset({_J.RUNNING}),
    # A session outlives the word that ends its job, and its records still count.
    events.SessionEnded: _STARTED,
    events.InterpreterLost: _STARTED,
    events.ScriptStarted: _STARTED,
    events.ScriptSucceeded: _STARTED,
    events.ScriptFailed: _STARTED,
    events.ScriptInterrupted: _STARTED,
    events.ScriptRetrying: _STARTED,
    events.ScriptSkipped: frozenset(_J) - {_J.NEW, _J.SUCCEEDED},
}
"""The job's states in which an event may happen."""

STATE_AFTER: dict[type[events.JobEvent], JobState] = {
    events.JobAdded: _J.WAITING,
    events.JobSuspended: _J.SUSPENDED,
    events.JobSucceeded: _J.SUCCEEDED,
    events.JobFailed: _J.FAILED,
    events.JobCancelled: _J.CANCELLED,
}
"""The job's state after an event that ends or stops it; after every other one it runs."""

SCRIPT_STATES: dict[type[events.ScriptEvent], frozenset[ScriptState]] = {
    events.ScriptStarted: frozenset(_S) - {_S.RUNNING},
    events.ScriptSucceeded: frozenset({_S.RUNNING}),
    events.ScriptFailed: frozenset({_S.RUNNING}),
    events.ScriptInterrupted: frozenset(_S),
    events.ScriptRetrying: frozenset({_S.FAILED}),
    events.ScriptSkipped: frozenset(_S) - {_S.RUNNING},
}
"""The script's states in which an event about it may happen."""

FROM_SESSIONS: frozenset[type[events.Event]] = frozenset(
    {
        events.InterpreterLost,
        events.ScriptStarted,
        events.ScriptSucceeded,
        events.ScriptFailed,
        events.ScriptRetrying,
    }
)
"""What a session may say. All else only the coordinator can know."""


def check(
    event: events.Event,
    state: JobState,
    run: events.SessionOpened | None,
    rows: Mapping[str, Row],
) -> None:
    """Raise IllegalTransition unless `event` can happen to a job in this state.

    `run` is its open session run, `rows` are its scripts.
    """
    what, opened = type(event).__name__, run.run if run else "no session"
    if state not in JOB_STATES[type(event)]:
        raise IllegalTransition(f"the job is {state}: {what} cannot happen now")
    if isinstance(event, events.SessionOpened) and run is not None:
        raise IllegalTransition(f"{event.run} cannot open while {opened} is open")
    if isinstance(event, events.SessionEnded) and opened != event.run:
        raise IllegalTransition(f"{event.run} ended, but {opened} is open")
    if event.origin != COORDINATOR:
        if opened != event.origin:
            raise IllegalTransition(f"{event.origin} wrote {what}, but {opened} is open")
        if type(event) not in FROM_SESSIONS:
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
    if state not in SCRIPT_STATES[type(event)]:
        raise IllegalTransition(f"script {script} is {state}: {what} cannot happen now")
    fresh = isinstance(event, events.ScriptStarted) or (
        isinstance(event, events.ScriptInterrupted) and state is not ScriptState.RUNNING
    )
    if event.attempt != latest + fresh:
        raise IllegalTransition(f"script {script}: {what} of attempt {event.attempt}, not {latest}")
    if event.origin != COORDINATOR and run and script not in run.scripts:
        raise IllegalTransition(f"script {script} is not in the plan of {event.origin}")
