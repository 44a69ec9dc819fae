"""A job that is restored from its status decides as the one did that was stored.

The simulated world of the domain's own test, asked the same questions of both after every step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice, product
from types import MappingProxyType

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import invariant
from hypothesis.stateful import run_state_machine_as_test as run_machine

from enso_operator.api.status import EnsoJobStatus
from enso_operator.kube.status.read import restored
from enso_operator.kube.status.size import document_of
from enso_operator.kube.status.write import status_of
from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.definition import Definition
from job_execution_framework.domain.errors import GapInLog, IllegalTransition
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.outputs import references
from job_execution_framework.domain.secret import shown
from tests.support.decisions import decisions
from tests.unit.domain.test_simulation import IN_CI, Simulation

NAMES = {number: f"{'j' * 52}-{number}-{'0' * 20}" for number in range(2, 52)}
"""What changed definitions are called, by number."""
PARTS = 3
"""Into how many parts the possible events are divided, which are asked about in turn.

Neighbouring steps differ by little: what one comparison does not ask about, the next two do.
"""


def through_status(
    job: Job,
    before: EnsoJobStatus | None = None,
    known: Mapping[int, Definition] = MappingProxyType({}),
) -> Job:
    """Store the job as the API server would have it, and load it."""
    document = document_of(status_of(job, 1, before or EnsoJobStatus(), definitions=NAMES))
    defined = Job(job.id, job.scripts, job.sessions, job.deadline_seconds)
    return restored(defined, EnsoJobStatus.model_validate(document), job.events[0].at, known)


def possible(job: Job, first: int) -> Iterator[events.Event]:
    """Yield events of every kind, also about every script, by everybody who may write one.

    Of all of them each third, from this one on.
    """
    last_runs = [f"{session}-{number}" for session, number in job.runs.items()]
    writers = [
        (origin, job.cursors.get(origin, 0) + more)
        for origin in ("coordinator", *last_runs, "s9-1")
        for more in range(3)
    ]
    every = product(writers, [*_kinds(job)])
    for (origin, seq), event in islice(every, first, None, PARTS):
        yield replace(event, origin=origin, seq=seq)


def _kinds(job: Job) -> Iterator[events.Event]:
    cause = Cause(Reason.EXCEPTION, "no")
    yield from (
        events.JobAdded(at=1),
        events.JobStarted(at=1),
        events.JobSuspended(at=1),
        events.JobUnsuspended(at=1),
        events.JobPaused(at=1),
        events.JobPaused(at=1, after=job.scripts[-1].name),
        events.JobUnpaused(at=1),
        events.JobUnpaused(at=1, changed=(f"{job.scripts[0].name}.args.x",)),
        events.JobResumed(at=1),
        events.JobSucceeded(at=1),
        events.JobFailed(at=1, cause=cause),
        events.JobCancelled(at=1),
        events.InterpreterLost(at=1),
        events.SessionOpened(at=1, run="s1-9", session="s1", uid="u", scripts=()),
        events.SessionEnded(at=1, run=job.open_run.run if job.open_run else "s1-9"),
    )
    for name, row in job.rows.items():
        for attempt in (row.attempt, row.attempt + 1):
            yield job.script_event(events.ScriptStarted, name, attempt, 1)
            yield job.script_event(events.ScriptSucceeded, name, attempt, 1)
            yield job.script_event(events.ScriptFailed, name, attempt, 1, cause=cause)
            yield job.script_event(events.ScriptInterrupted, name, attempt, 1, cause=cause)
            yield job.script_event(events.ScriptRetrying, name, attempt, 1)
            yield job.script_event(events.ScriptSkipped, name, attempt, 1)
            yield job.script_event(events.ScriptRetryForced, name, attempt, 1)
            yield job.script_event(events.SkipRequested, name, attempt, 1)


def answer(job: Job, event: events.Event, now: float) -> object:
    """The job's error for the event, if any, and its decisions after it, where it has changed."""
    job, known = job.copy(), len(job.events)
    try:
        job.apply(event)
    except (GapInLog, IllegalTransition) as refusal:
        return type(refusal)
    return decisions(job, now) if len(job.events) > known else "it knew the event"


class Restarting(Simulation):
    """After each step the operator restarts, and finds what the status says."""

    steps = steps_after_a_resume = 0  # its own, whatever ran before in this process
    status = EnsoJobStatus()

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[int, Definition] = {}
        """Every definition that the job has had, by number."""

    @invariant()
    def a_restored_job_decides_the_same(self) -> None:
        if not hasattr(self, "world"):
            return
        job, now = self.world.job(), self.world.clock.now()
        self.known[job.definition_number] = job.definition
        self.status = status_of(job, 1, self.status, definitions=NAMES)
        again = through_status(job, self.status, self.known)
        assert decisions(again, now) == decisions(job, now)
        if self.steps % 5 == 0:
            for event in possible(job, self.steps // 5 % PARTS):
                assert answer(again, event, now) == answer(job, event, now)
        assert_settled(again, self.status)
        assert_told(again, job)


def assert_settled(again: Job, status: EnsoJobStatus) -> None:
    """Storing what was loaded changes no word, and so writes nothing."""
    assert document_of(status_of(again, 1, status, definitions=NAMES)) == document_of(status)


def assert_told(again: Job, job: Job) -> None:
    """Each attempt that the status knows is told; so is how the job ended.

    Of an argument that was an output a status has no value: it says which output it was.
    """
    assert isinstance(again.events[0], events.JobAdded)
    known = {(name, a.number) for name, row in job.rows.items() for a in (*row.earlier, row.latest)}
    assert starts(again) == starts(job) & known
    for name, row in job.rows.items():
        outputs = shown(references(job.script(name).parameters))
        for was, now in zip(
            (*row.earlier, row.latest),
            (*again.rows[name].earlier, again.rows[name].latest),
            strict=True,
        ):
            told = None if was.parameters is None else {**was.parameters, **outputs}
            assert (now.definition, now.parameters) == (was.definition, told)
    if job.failure:
        assert again.failure
        assert again.failure.script == job.failure.script
        assert again.failure.cause == job.failure.cause


def starts(job: Job) -> set[tuple[str, int]]:
    return {(e.script, e.attempt) for e in job.events if isinstance(e, events.ScriptStarted)}


@pytest.mark.timeout(600)  # a machine that is busy with more than this takes minutes
def test_a_restored_job_decides_as_the_one_that_was_stored() -> None:
    run_machine(
        Restarting,
        settings=settings(
            max_examples=30,
            stateful_step_count=40,
            deadline=None,
            derandomize=IN_CI,
            phases=[Phase.generate],  # shrinking takes minutes
            database=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
