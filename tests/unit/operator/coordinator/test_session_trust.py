"""A session tells of itself: what a script could write for others is not believed."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from enso_operator.coordinator.session_trust import believed, most_records
from job_execution_framework.domain import events
from job_execution_framework.domain.errors import IllegalTransition
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.output_file import LONGEST_LOST
from job_execution_framework.domain.row import ScriptState
from job_execution_framework.domain.script import Script, Source
from job_execution_framework.domain.steps import Open
from job_execution_framework.service_layer.library import ScriptLibrary
from job_execution_framework.service_layer.observations import Ended, Observations, Outcome
from job_execution_framework.service_layer.plan import Plan
from job_execution_framework.service_layer.records import from_line, to_line
from job_execution_framework.service_layer.runner import Result
from job_execution_framework.service_layer.services import reconcile
from tests.support.jobs import FakeClock, job_of
from tests.support.sessions import SUCCEEDS, TIMES_OUT, SimulatedSession

DONE, FAILED = ScriptState.SUCCEEDED, ScriptState.FAILED


@pytest.fixture
def job() -> Job:
    """A job whose first session is open, and has the scripts `open` and `do`."""
    opened = job_of("open do ; render")
    opened.record(events.JobAdded(at=0))
    step = reconcile(opened, Observations(), 0)
    assert isinstance(step, Open)
    opened.record(
        events.SessionOpened(
            at=0, run=step.run, session=step.session, uid="u", scripts=step.scripts
        )
    )
    return opened


def last_words(*outcomes: Outcome) -> Observations:
    return Observations(run="s1-1", ended=Ended(log_is_complete=True, outcomes=outcomes))


@pytest.mark.parametrize("origin", [events.COORDINATOR, "", "s2-1"])
def test_a_session_writes_in_its_own_name(job: Job, origin: str) -> None:
    skipped = job.script_event(events.ScriptSkipped, "render", 0, 1, by="ann", why="not needed")
    forged = replace(skipped, origin=origin, seq=job.cursors.get(origin, 0) + 1)
    with pytest.raises(IllegalTransition, match="s1-1 wrote ScriptSkipped in the name of"):
        believed(job, Observations((forged,)))


def test_what_it_says_of_itself_is_heard(job: Job) -> None:
    started = replace(job.script_event(events.ScriptStarted, "open", 1, 1), origin="s1-1", seq=1)
    believed(job, Observations((started,)))
    believed(job, last_words(Outcome("open", 1, DONE), Outcome("do", 1, FAILED)))
    believed(
        job, Observations(run="s0-1", ended=Ended(True, outcomes=(Outcome("render", 9, DONE),)))
    )


@pytest.mark.parametrize("lie", [Outcome("render", 1, DONE), Outcome("do", 10**12, FAILED)])
def test_its_last_words_are_of_its_own_scripts_and_of_attempts_that_can_have_been(
    job: Job, lie: Outcome
) -> None:
    with pytest.raises(IllegalTransition):
        believed(job, last_words(Outcome("open", 1, DONE), lie))


def test_more_records_than_the_plan_can_need_are_a_lie(job: Job) -> None:
    assert job.open_run
    most = most_records(job, job.open_run)
    started = job.script_event(events.ScriptStarted, "open", 1, 1)
    believed(job, Observations((replace(started, origin="s1-1", seq=most),)))
    with pytest.raises(IllegalTransition, match=f"more than the {most} records"):
        believed(job, Observations((replace(started, origin="s1-1", seq=most + 1),)))


@pytest.mark.parametrize("seed", range(30))
def test_no_honest_session_writes_more_records(seed: int) -> None:
    fates, clock = Random(seed), FakeClock()  # noqa: S311  # no secret
    opened = job_of("open.setup.retry2 do.retry3 look save.retry1")
    opened.record(events.JobAdded(at=0))
    step = reconcile(opened, Observations(), 0)
    assert isinstance(step, Open)
    session = SimulatedSession(Plan.of(opened, step, ScriptLibrary([])))
    run = events.SessionOpened(at=0, run=step.run, session="s1", uid="u", scripts=step.scripts)
    session.released = True

    def fate(script: Script, attempt: int) -> Result:
        del script, attempt
        return fates.choice((TIMES_OUT, SUCCEEDS))

    while session.alive:
        session.run_one_script(fate, clock)
    assert session.log.count(b"\n") <= most_records(opened, run)


def test_the_jobs_own_arguments_are_held_once() -> None:
    job = Job("job", (Script("open", Source(""), {"shot": ["010"] * 100}),))
    job.record(events.JobAdded(at=0))
    step = reconcile(job, Observations(), 0)
    assert isinstance(step, Open)
    job.record(
        events.SessionOpened(at=0, run=step.run, session=step.session, uid="u", scripts=("open",))
    )
    started = replace(job.script_event(events.ScriptStarted, "open", 1, 1), origin=step.run, seq=1)
    read = from_line(to_line(started))
    assert isinstance(read, events.ScriptStarted)
    for record in (read, replace(read, parameters={})):
        (told,) = believed(job, Observations((record,))).records
        assert isinstance(told, events.ScriptStarted)
        assert told.parameters is job.shown("open", 1)
    other = replace(read, parameters={"shot": "020"})
    assert believed(job, Observations((other,))).records == (other,)
    (told,) = believed(job, Observations((replace(read, parameters={"x": ["y"] * 999}),))).records
    assert isinstance(told, events.ScriptStarted)
    assert told.parameters == {}
    job.arguments[1] = {"open": {"x": ["y"] * 999}}
    given = {**job.shown("open", 1), "shot": "/fx/010.bgeo"}
    (told,) = believed(job, Observations((replace(read, parameters=given),))).records
    assert isinstance(told, events.ScriptStarted)
    assert told.parameters == given, "what the job itself says may be long"


def test_an_output_is_no_longer_than_one_may_be(job: Job) -> None:
    done = job.script_event(events.ScriptSucceeded, "open", 1, 1, output="x" * 10_000)
    with pytest.raises(IllegalTransition, match="an output of 10002 characters"):
        believed(job, Observations((replace(done, origin="s1-1", seq=2),)))


def test_why_its_output_was_not_kept_is_a_sentence(job: Job) -> None:
    started = replace(job.script_event(events.ScriptStarted, "open", 1, 1), origin="s1-1", seq=1)
    ended = job.script_event(events.ScriptSucceeded, "open", 1, 1, output_lost="x" * 5000)
    heard = believed(job, Observations((started, replace(ended, origin="s1-1", seq=2))))
    told = heard.records[1]
    assert isinstance(told, events.ScriptSucceeded)
    assert len(told.output_lost) == LONGEST_LOST
