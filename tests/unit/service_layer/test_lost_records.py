"""A session whose records are lost in part: its summary says how far it came."""

from __future__ import annotations

import pytest

from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.row import ScriptState
from job_execution_framework.domain.steps import Finish, Open, Step
from job_execution_framework.service_layer.observations import Ended, Observations, Outcome
from job_execution_framework.service_layer.services import reconcile
from tests.support.jobs import job_of

LOST = Cause(Reason.SESSION_LOST, "its log is gone")
S, F, R = ScriptState.SUCCEEDED, ScriptState.FAILED, ScriptState.RUNNING


def opened(text: str, *recorded: str) -> Job:
    """Return a job with an open session that recorded these starts, and their successes."""
    job = job_of(text)
    job.record(events.JobAdded(at=0))
    step = reconcile(job, Observations(), 0)
    assert isinstance(step, Open)
    job.record(
        events.SessionOpened(
            at=0, run=step.run, session=step.session, uid="u", scripts=step.scripts
        )
    )
    for word in recorded:
        name, _, succeeded = word.partition(":")
        job.record(job.script_event(events.ScriptStarted, name, job.rows[name].attempt + 1, 0))
        if succeeded:
            job.record(job.script_event(events.ScriptSucceeded, name, job.rows[name].attempt, 0))
    return job


def ends(job: Job, *outcomes: Outcome, is_all: bool = False, cause: Cause | None = LOST) -> Step:
    cause = None if is_all else cause
    return reconcile(job, Observations(ended=Ended(is_all, cause, outcomes)), 1)


def states(job: Job) -> list[str]:
    return [f"{row.state} {row.attempt}" for row in job.rows.values()]


def test_what_the_last_words_vouch_for_is_done() -> None:
    job = opened("open do save", "open:ok", "do")
    ends(job, Outcome("open", 1, S), Outcome("do", 1, S), Outcome("save", 1, S), is_all=True)
    assert states(job) == ["Succeeded 1"] * 3
    assert job.state == "Succeeded"


def test_attempts_between_are_known_to_have_failed() -> None:
    job = opened("open do.retry2 save", "open:ok")
    ends(job, Outcome("do", 3, S), Outcome("save", 1, F, "Timeout"), is_all=True)
    assert states(job) == ["Succeeded 1", "Succeeded 3", "Failed 1"]
    assert job.rows["do"].failures == 2
    assert job.failure
    assert job.failure.script == "save"
    assert job.failure.cause.reason == "Timeout"


def test_what_ran_when_it_was_last_heard_of_is_in_doubt() -> None:
    job = opened("open do save", "open:ok")
    ends(job, Outcome("open", 1, S), Outcome("do", 1, R))
    assert states(job)[:2] == ["Succeeded 1", "Interrupted 1"]


@pytest.mark.parametrize(
    "outcome", [Outcome("open", 1, S), Outcome("open", 1, R), Outcome("open", 1, F)]
)
def test_what_the_records_tell_needs_no_last_words(outcome: Outcome) -> None:
    job = opened("open do", "open:ok", "do:ok")
    ends(job, outcome, is_all=True)
    assert states(job) == ["Succeeded 1", "Succeeded 1"]


def test_memory_that_ran_out_is_the_failure_of_the_script_that_ran() -> None:
    job = opened("open do.retry1 save", "open:ok", "do")
    memory = Cause(Reason.OUT_OF_MEMORY, "more than 64Mi")
    step = reconcile(job, Observations(ended=Ended(log_is_complete=True, cause=memory)), 1)
    assert states(job) == ["Succeeded 1", "Failed 1", "NotStarted 0"]
    assert job.rows["do"].latest.cause == memory
    assert step == Open("s1-2", "s1", ("open", "do", "save"))
    assert not job.lost


def test_memory_that_ran_out_before_a_script_began_is_a_lost_session() -> None:
    job = opened("open do")
    memory = Cause(Reason.OUT_OF_MEMORY, "more than 64Mi")
    step = reconcile(job, Observations(ended=Ended(log_is_complete=True, cause=memory)), 1)
    assert not isinstance(step, (Open, Finish))
    assert job.failure
    assert job.failure.cause.reason == Reason.OUT_OF_MEMORY
