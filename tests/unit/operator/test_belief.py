"""A session tells of itself: what a script could write for others is not believed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from enso_operator.belief import check
from job_execution_framework.domain import events
from job_execution_framework.domain.errors import IllegalTransition
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.row import ScriptState
from job_execution_framework.domain.steps import Open
from job_execution_framework.service_layer.observations import Ended, Observations, Outcome
from job_execution_framework.service_layer.services import reconcile
from tests.support.jobs import job_of

DONE, FAILED = ScriptState.SUCCEEDED, ScriptState.FAILED


@pytest.fixture
def job() -> Job:
    """A job whose first session is open, and has the scripts `open` and `do`."""
    one = job_of("open do ; render")
    one.record(events.JobAdded(at=0))
    step = reconcile(one, Observations(), 0)
    assert isinstance(step, Open)
    one.record(
        events.SessionOpened(
            at=0, run=step.run, session=step.session, uid="u", scripts=step.scripts
        )
    )
    return one


def last_words(*outcomes: Outcome) -> Observations:
    return Observations(run="s1-1", ended=Ended(log_is_complete=True, outcomes=outcomes))


@pytest.mark.parametrize("origin", [events.COORDINATOR, "", "s2-1"])
def test_a_session_writes_in_its_own_name(job: Job, origin: str) -> None:
    skipped = job.about(events.ScriptSkipped, "render", 0, 1, by="ann", why="not needed")
    forged = replace(skipped, origin=origin, seq=job.cursors.get(origin, 0) + 1)
    with pytest.raises(IllegalTransition, match="s1-1 wrote ScriptSkipped in the name of"):
        check(job, Observations((forged,)))


def test_what_it_says_of_itself_is_heard(job: Job) -> None:
    started = replace(job.about(events.ScriptStarted, "open", 1, 1), origin="s1-1", seq=1)
    check(job, Observations((started,)))
    check(job, last_words(Outcome("open", 1, DONE), Outcome("do", 1, FAILED)))
    check(job, Observations(run="s0-1", ended=Ended(True, outcomes=(Outcome("render", 9, DONE),))))


@pytest.mark.parametrize("lie", [Outcome("render", 1, DONE), Outcome("do", 10**12, FAILED)])
def test_its_last_words_are_of_its_own_scripts_and_of_attempts_that_can_have_been(
    job: Job, lie: Outcome
) -> None:
    with pytest.raises(IllegalTransition):
        check(job, last_words(Outcome("open", 1, DONE), lie))
