"""Which event may happen in which state: the whole state machine, as two tables."""

from __future__ import annotations

from enum import Enum

from job_execution_framework.domain import events
from job_execution_framework.domain.row import ScriptState


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
