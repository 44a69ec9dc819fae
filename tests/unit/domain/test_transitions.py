"""The state machine of a job, cell by cell: what may happen, what may not, and what follows."""

from __future__ import annotations

import pytest

from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Cause
from job_execution_framework.domain.errors import GapInLog, IllegalTransition
from job_execution_framework.domain.job import Job
from tests.support.jobs import job_of, make

CAUSE = Cause("Exception", "it broke")
RUN = "s1-1"

# Each cell is the state after the event; `.` means that the event cannot happen there. Where an
# event needs an open session or a running script, the job has it.
JOB_TABLE = """
                  New     Waiting   Running   Suspended Succeeded Failed    Cancelled
JobAdded          Waiting .         .         .         .         .         .
JobStarted        .       Running   .         .         .         .         .
JobSuspended      .       Suspended Suspended Suspended .         .         .
JobUnsuspended    .       .         .         Running   .         .         .
JobPaused         .       Suspended Suspended Suspended .         .         .
JobUnpaused       .       Waiting   Running   Suspended .         .         .
JobResumed        .       .         .         .         Running   Running   Running
JobSucceeded      .       .         Succeeded Succeeded .         .         .
JobFailed         .       Failed    Failed    Failed    Failed    .         .
JobCancelled      .       Cancelled Cancelled Cancelled .         .         .
FinallyCancelled  .       .         .         .         Succeeded Failed    Cancelled
SessionOpened     .       .         Running   .         Succeeded Failed    Cancelled
SessionEnded      .       .         Running   Suspended Succeeded Failed    Cancelled
InterpreterLost   .       .         Running   Suspended Succeeded Failed    Cancelled
ScriptStarted     .       .         Running   Suspended Succeeded Failed    Cancelled
ScriptSucceeded   .       .         Running   Suspended Succeeded Failed    Cancelled
ScriptFailed      .       .         Running   Suspended Succeeded Failed    Cancelled
ScriptInterrupted .       .         Running   Suspended Succeeded Failed    Cancelled
ScriptRetrying    .       .         Running   Suspended Succeeded Failed    Cancelled
ScriptRetryForced .       Waiting   Running   Suspended .         .         .
SkipRequested     .       Waiting   Running   Suspended .         .         .
ScriptSkipped     .       Waiting   Running   Suspended .         Failed    Cancelled
"""

SCRIPT_TABLE = """
                  NotStarted  Running     Succeeded   Failed      Interrupted Skipped
ScriptStarted     Running     .           Running     Running     Running     Running
ScriptSucceeded   .           Succeeded   .           .           .           .
ScriptFailed      .           Failed      .           .           .           .
ScriptInterrupted Interrupted Interrupted Interrupted Interrupted Interrupted Interrupted
ScriptRetrying    .           .           .           Failed      .           .
ScriptRetryForced NotStarted  .           Succeeded   Failed      Interrupted Skipped
SkipRequested     NotStarted  Running     Succeeded   Failed      Interrupted Skipped
ScriptSkipped     Skipped     .           Skipped     Skipped     Skipped     Skipped
"""

HISTORY = {
    "New": [],
    "Waiting": ["JobAdded"],
    "Running": ["JobAdded", "JobStarted"],
    "Suspended": ["JobAdded", "JobStarted", "JobSuspended"],
    "Succeeded": ["JobAdded", "JobStarted", "JobSucceeded"],
    "Failed": ["JobAdded", "JobStarted", "JobFailed"],
    "Cancelled": ["JobAdded", "JobStarted", "JobCancelled"],
}
"""What brings a job into a state."""

SCRIPT_HISTORY = {
    "NotStarted": [],
    "Running": ["ScriptStarted"],
    "Succeeded": ["ScriptStarted", "ScriptSucceeded"],
    "Failed": ["ScriptStarted", "ScriptFailed"],
    "Interrupted": ["ScriptStarted", "ScriptInterrupted"],
    "Skipped": ["ScriptSkipped"],
}
"""What brings a script into a state, while its job runs."""

NEEDS = {
    "SessionEnded": "NotStarted",
    "InterpreterLost": "NotStarted",
    "ScriptStarted": "NotStarted",
    "ScriptSucceeded": "Running",
    "ScriptFailed": "Running",
    "ScriptInterrupted": "Running",
    "ScriptRetrying": "Failed",
}
"""The events that come from a session, and the state in which they find its script."""


def cells(table: str) -> list[tuple[str, str, str]]:
    header, *lines = [line.split() for line in table.strip().splitlines()]
    return [
        (state, line[0], cell)
        for line in lines
        for state, cell in zip(header, line[1:], strict=True)
    ]


def event_of(name: str, job: Job) -> events.Event:
    """Return the event of this name, as it would come next and about the script `do`."""
    row = job.rows["do"]
    extra: dict[str, object] = {}
    kind: type[events.Event] = getattr(events, name)
    if issubclass(kind, events.ScriptEvent):
        fresh = kind is events.ScriptStarted or (
            kind is events.ScriptInterrupted and str(row.state) != "Running"
        )
        extra = {"script": "do", "number": 1, "of": 2, "attempt": row.attempt + fresh}
    if kind in (events.JobFailed, events.ScriptFailed, events.ScriptInterrupted):
        extra["cause"] = CAUSE
    if kind is events.SessionOpened:
        extra |= {"run": RUN, "session": "s1", "uid": "u", "scripts": ("do",)}
    if kind is events.SessionEnded:
        extra["run"] = RUN
    origin = job.origin
    return make(kind, at=5, origin=origin, seq=job.cursors.get(origin, 0) + 1, **extra)


def job_in(state: str, script: str | None = None) -> Job:
    """Return a job in this state; with `script`, its session is open and its script in that."""
    job, history = job_of("do save"), HISTORY[state]
    if script is not None and "JobStarted" in history:
        history = [*history[:2], "SessionOpened", *SCRIPT_HISTORY[script], *history[2:]]
    for name in history:
        job.apply(event_of(name, job))
    return job


def refuses(job: Job, event: events.Event, error: type[Exception] = IllegalTransition) -> None:
    """Assert that the event is refused and leaves no trace."""
    before = job.copy()
    with pytest.raises(error):
        job.apply(event)
    assert job == before


@pytest.mark.parametrize(("state", "name", "after"), cells(JOB_TABLE))
def test_what_may_happen_to_a_job(state: str, name: str, after: str) -> None:
    job = job_in(state, NEEDS.get(name))
    assert str(job.state) == state
    event = event_of(name, job)
    if after == ".":
        refuses(job, event)
        return
    job.apply(event)
    assert str(job.state) == after
    seen = job.copy()
    job.apply(event)
    assert job == seen, "applied twice, it changes nothing"


@pytest.mark.parametrize(("state", "name", "after"), cells(SCRIPT_TABLE))
def test_what_may_happen_to_a_script(state: str, name: str, after: str) -> None:
    job = job_in("Running", state)
    assert str(job.rows["do"].state) == state
    event = event_of(name, job)
    if after == ".":
        refuses(job, event)
        return
    job.apply(event)
    assert str(job.rows["do"].state) == after
    seen = job.copy()
    job.apply(event)
    assert job == seen, "applied twice, it changes nothing"


def test_a_job_that_was_suspended_before_its_start_waits_again() -> None:
    job = job_in("Waiting")
    for name in ("JobSuspended", "JobUnsuspended"):
        job.apply(event_of(name, job))
    assert str(job.state) == "Waiting"


def test_a_job_that_was_resumed_has_started_even_if_it_never_ran_before() -> None:
    job = job_in("Waiting")
    for name in ("JobCancelled", "JobResumed", "JobSuspended", "JobUnsuspended"):
        job.apply(event_of(name, job))
    assert str(job.state) == "Running"


def test_every_event_stands_in_the_tables() -> None:
    abstract = {"Event", "ScriptEvent"}
    known = {
        name
        for name, kind in vars(events).items()
        if isinstance(kind, type) and issubclass(kind, events.Event)
    }
    assert {name for _, name, _ in cells(JOB_TABLE)} == known - abstract


def test_a_gap_in_a_sequence_is_refused_and_changes_nothing() -> None:
    job = job_in("Running", "NotStarted")
    refuses(job, said_by_session(job, "ScriptStarted", seq=2), GapInLog)
    coordinators = event_of("JobSuspended", job)
    refuses(job, events.JobSuspended(at=5, origin=job.origin, seq=coordinators.seq + 1), GapInLog)


def test_a_session_writes_its_own_sequence_beside_the_coordinators() -> None:
    job = job_in("Running", "NotStarted")
    job.apply(said_by_session(job, "ScriptStarted", seq=1))
    job.apply(event_of("JobSuspended", job))
    job.apply(said_by_session(job, "ScriptSucceeded", seq=2))
    assert str(job.rows["do"].state) == "Succeeded"


@pytest.mark.parametrize("attempt", [-1, 0, 2, 3])
@pytest.mark.parametrize("name", ["ScriptStarted", "ScriptInterrupted"])
def test_a_first_attempt_has_the_number_1(name: str, attempt: int) -> None:
    job = job_in("Running", "NotStarted")
    refuses(job, said_by_session(job, name, attempt=attempt))
    refuses(job, said_by_session(job, name, attempt=attempt, origin=job.origin))


@pytest.mark.parametrize("attempt", [0, 2])
@pytest.mark.parametrize("name", ["ScriptSucceeded", "ScriptFailed", "ScriptInterrupted"])
def test_an_outcome_belongs_to_the_attempt_that_was_started(name: str, attempt: int) -> None:
    job = job_in("Running", "Running")
    refuses(job, said_by_session(job, name, attempt=attempt, origin=job.origin))


@pytest.mark.parametrize("origin", ["s1-2", "s2-1", "somebody"])
def test_events_of_a_session_that_is_not_open_are_refused(origin: str) -> None:
    refuses(job_in("Running", "NotStarted"), said_by_session(job_in("Running"), origin=origin))
    refuses(job_in("Running"), said_by_session(job_in("Running")))


def test_events_of_a_session_about_scripts_outside_of_its_plan_are_refused() -> None:
    job = job_in("Running", "NotStarted")
    refuses(job, said_by_session(job, script="save"))
    refuses(job, said_by_session(job, script="unknown"))


COORDINATORS_OWN = [
    *["JobAdded", "JobStarted", "JobSuspended", "JobUnsuspended", "JobPaused", "JobUnpaused"],
    *["JobResumed", "JobSucceeded", "JobFailed", "JobCancelled", "SessionOpened", "SessionEnded"],
    *["ScriptInterrupted", "ScriptRetryForced", "SkipRequested"],
]


@pytest.mark.parametrize("state", ["Running", "Suspended", "Failed", "Cancelled"])
@pytest.mark.parametrize("name", COORDINATORS_OWN)
def test_a_session_cannot_write_events_of_the_coordinator(name: str, state: str) -> None:
    job = job_in(state, "NotStarted")
    refuses(job, said_by_session(job, name))


def test_one_session_is_open_at_a_time_and_only_that_one_ends() -> None:
    job = job_in("Running", "NotStarted")
    refuses(job, event_of("SessionOpened", job))
    seq = job.cursors[job.origin] + 1
    refuses(job, events.SessionEnded(at=5, origin=job.origin, seq=seq, run="s1-2"))


def said_by_session(
    job: Job,
    name: str = "ScriptStarted",
    *,
    script: str = "do",
    attempt: int | None = None,
    origin: str = RUN,
    seq: int | None = None,
) -> events.Event:
    """Return the event as session run `origin` would write it."""
    event = event_of(name, job)
    details: dict[str, object] = dict(
        vars(event), origin=origin, seq=seq or job.cursors.get(origin, 0) + 1
    )
    if isinstance(event, events.ScriptEvent):
        details |= {"script": script, "attempt": event.attempt if attempt is None else attempt}
    return make(type(event), **details)
