"""What `reconcile` records of observations, and which step it returns."""

from __future__ import annotations

from dataclasses import replace

import pytest

from job_execution_framework.domain import events
from job_execution_framework.domain.actions import (
    Action,
    Cancel,
    Pause,
    Resume,
    Suspend,
    Unsuspend,
)
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.control import CANCEL, PAUSE, control_of
from job_execution_framework.domain.errors import GapInLog, IllegalTransition
from job_execution_framework.domain.events import Event, ScriptEvent
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.steps import Open, Step, Wait
from job_execution_framework.service_layer.observations import Ended, Observations
from job_execution_framework.service_layer.services import reconcile
from tests.support.jobs import job_of

LOST = Cause(Reason.SESSION_LOST, "the node is gone")
STARTED, SUCCEEDED = events.ScriptStarted, events.ScriptSucceeded
FAILED, RETRYING = events.ScriptFailed, events.ScriptRetrying


def opened(text: str = "open do save", retry_lost: int = 0) -> Job:
    """Return a job whose first session is open."""
    job = job_of(text, retry_lost=retry_lost)
    job.record(events.JobAdded(at=0))
    release(job, reconcile(job, Observations(), 0))
    return job


def decide(job: Job, now: float, *actions: Action) -> Step:
    """Do those of the actions that are possible, and return the next step."""
    for action in actions:
        if not job.why_not(action):
            job.obey(action, now)
    return reconcile(job, Observations(), now)


def release(job: Job, step: object, now: float = 0) -> None:
    assert isinstance(step, Open)
    job.record(
        events.SessionOpened(
            at=now, run=step.run, session=step.session, uid="u", scripts=step.scripts
        )
    )


def log(
    job: Job, *told: tuple[type[ScriptEvent], str, int], run: str = "s1-1"
) -> tuple[Event, ...]:
    """Return records of a session run."""
    records: list[Event] = []
    for seq, (kind, script, attempt) in enumerate(told, start=1):
        more = {"cause": LOST} if kind is FAILED else {}
        event = job.script_event(kind, script, attempt, 1, **more)
        records.append(replace(event, origin=run, seq=seq))
    return tuple(records)


def states(job: Job) -> list[str]:
    return [f"{row.state} {row.attempt}" for row in job.rows.values()]


def test_the_first_step_is_to_open_the_first_session_with_its_scripts() -> None:
    job = job_of("open do ; render")
    job.record(events.JobAdded(at=0))
    assert reconcile(job, Observations(), 0) == Open("s1-1", "s1", ("open", "do"))
    assert str(job.state) == "Running"


def test_the_same_observation_twice_changes_nothing() -> None:
    job = opened()
    seen = Observations(log(job, (STARTED, "open", 1), (SUCCEEDED, "open", 1)))
    assert reconcile(job, seen, 2) == Wait()
    once = job.copy()
    assert reconcile(job, seen, 3) == Wait()
    assert job == once


def test_a_gap_in_a_log_is_raised_so_that_it_is_read_again_from_its_start() -> None:
    job = opened()
    records = log(job, (STARTED, "open", 1), (SUCCEEDED, "open", 1))
    with pytest.raises(GapInLog):
        reconcile(job, Observations(records[1:]), 2)
    reconcile(job, Observations(records), 2)
    assert states(job)[0] == "Succeeded 1"


def test_records_that_cannot_be_true_are_raised() -> None:
    job = opened()
    with pytest.raises(IllegalTransition):
        reconcile(job, Observations(log(job, (SUCCEEDED, "open", 1))), 2)


def test_with_a_complete_log_only_the_started_script_is_in_doubt() -> None:
    job = opened()
    records = log(job, (STARTED, "open", 1), (SUCCEEDED, "open", 1), (STARTED, "do", 1))
    reconcile(job, Observations(records, Ended(log_is_complete=True, cause=LOST)), 2)
    assert states(job) == ["Succeeded 1", "Interrupted 1", "NotStarted 0"]
    assert job.failure
    assert (job.failure.script, job.failure.cause) == ("do", LOST)


def test_without_the_end_of_the_log_all_that_may_have_started_is_in_doubt_once() -> None:
    job = opened()
    records = log(job, (STARTED, "open", 1), (SUCCEEDED, "open", 1), (STARTED, "do", 1))
    reconcile(job, Observations(records, Ended(log_is_complete=False, cause=LOST)), 2)
    assert states(job) == ["Succeeded 1", "Interrupted 1", "Interrupted 1"]
    told = [str(e)[21:] for e in job.events if isinstance(e, events.ScriptInterrupted)]
    assert [line.split(":")[0] for line in told] == [
        "ScriptInterrupted 2/3 do, attempt 1",
        "ScriptInterrupted 3/3 save, attempt 1",
    ]


def test_what_is_warm_is_in_doubt_where_a_retry_may_have_started_it_again() -> None:
    job = opened("open do.retry1 save")
    records = log(job, (STARTED, "open", 1), (SUCCEEDED, "open", 1), (STARTED, "do", 1))
    reconcile(job, Observations(records, Ended(log_is_complete=False, cause=LOST)), 2)
    assert states(job) == ["Interrupted 2", "Interrupted 1", "Interrupted 1"]
    assert job.rows["open"].done
    assert job.failure
    assert job.failure.script == "do", "the one that is known to have begun"


def test_what_is_warm_is_in_doubt_after_the_last_failure_that_is_retried() -> None:
    job = opened("open do.retry1")
    records = log(job, (STARTED, "open", 1), (SUCCEEDED, "open", 1), (STARTED, "do", 1))
    records += log(job, *[(STARTED, "open", 1)] * 3, (FAILED, "do", 1))[3:]
    reconcile(job, Observations(records, Ended(log_is_complete=False, cause=LOST)), 2)
    assert states(job) == ["Interrupted 2", "Interrupted 2"], "its interpreter may have been lost"


def test_after_a_failure_for_good_nothing_else_is_in_doubt() -> None:
    job = opened()
    records = log(job, (STARTED, "open", 1), (FAILED, "open", 1))
    reconcile(job, Observations(records, Ended(log_is_complete=False, cause=LOST)), 2)
    assert states(job) == ["Failed 1", "NotStarted 0", "NotStarted 0"]
    assert job.failure
    assert job.failure.script == "open"


def test_a_session_that_ends_in_order_with_a_script_started_was_lost_all_the_same() -> None:
    job = opened()
    seen = Observations(log(job, (STARTED, "open", 1)), Ended(log_is_complete=True))
    reconcile(job, seen, 2)
    assert str(job.state) == "Failed"
    assert states(job)[0] == "Interrupted 1"


def test_old_news_of_another_run_changes_nothing() -> None:
    job = opened(retry_lost=1)
    first = log(job, (STARTED, "open", 1), (SUCCEEDED, "open", 1))
    release(job, reconcile(job, Observations((), Ended(False, LOST), run="s1-1"), 2))
    before = job.copy()
    late = Observations(first, Ended(False, LOST), run="s1-1")
    assert reconcile(job, late, 3) == Wait()
    assert job == before, "s1-2 is open, and alive"


def test_a_suspended_job_lets_its_running_script_end() -> None:
    job = opened()
    assert decide(job, 2, Suspend()) == Wait()
    assert control_of(job) == PAUSE
    records = log(job, (STARTED, "open", 1), (SUCCEEDED, "open", 1))
    ended = Observations(records, Ended(log_is_complete=True))
    assert reconcile(job, ended, 3) == Wait()
    assert states(job) == ["Succeeded 1", "NotStarted 0", "NotStarted 0"]
    again = decide(job, 4, Unsuspend())
    assert again == Open("s1-2", "s1", ("open", "do", "save"))


def test_a_cancelled_job_ends_its_running_script_and_is_finished_when_nothing_runs() -> None:
    job = opened()
    for now in (2, 3):
        assert decide(job, now, Cancel(by="ann", why="wrong shot")) == Wait()
        assert control_of(job) == CANCEL
    assert str(job.state) == "Cancelled"
    assert job.open_run, "it still runs"
    reconcile(job, Observations((), Ended(log_is_complete=True)), 4)
    assert job.finished
    assert [str(e)[21:] for e in job.events if isinstance(e, events.JobCancelled)] == [
        "JobCancelled wrong shot; by ann"
    ]


def test_a_deadline_says_where_the_job_was() -> None:
    job = job_of("open save", deadline=60)
    job.record(events.JobAdded(at=0))
    release(job, reconcile(job, Observations(), 100))
    for seq, record, where in (
        (1, job.script_event(STARTED, "open", 1, 101), "at open"),
        (2, job.script_event(SUCCEEDED, "open", 1, 102), "at save"),
    ):
        job.apply(replace(record, origin="s1-1", seq=seq))
        late = job.copy()
        reconcile(late, Observations(), 160)
        assert late.failure
        assert late.failure.cause.message == f"the job took longer than its 60 s, {where}"


def test_a_deadline_ends_the_session() -> None:
    job = job_of("open", deadline=60)
    job.record(events.JobAdded(at=0))
    release(job, reconcile(job, Observations(), 100))
    assert reconcile(job, Observations(), 130) == Wait(160)
    assert reconcile(job, Observations(), 160) == Wait()
    assert control_of(job) == CANCEL
    assert job.failure
    assert job.failure.cause.reason == Reason.DEADLINE_EXCEEDED


@pytest.mark.parametrize(
    ("hold", "let_go"), [(Suspend(), Unsuspend()), (Pause(), Resume())], ids=["suspend", "pause"]
)
def test_the_deadline_stands_from_the_end_of_a_held_jobs_session_to_the_next_opening(
    hold: Action, let_go: Action
) -> None:
    job = job_of("open do", deadline=60)
    job.record(events.JobAdded(at=0))
    release(job, reconcile(job, Observations(), 0))
    assert reconcile(job, Observations(), 10) == Wait(60)
    assert decide(job, 20, hold) == Wait(60)  # until its session has ended, the clock goes
    records = log(job, (STARTED, "open", 1), (SUCCEEDED, "open", 1))
    ended = Observations(records, Ended(log_is_complete=True))
    assert reconcile(job, ended, 30) == Wait()
    assert reconcile(job, Observations(), 10_000) == Wait()
    assert isinstance(decide(job, 10_010, let_go), Open)
    assert decide(job, 10_020, hold) == Wait()
    step = decide(job, 10_030, let_go)
    assert step == reconcile(job, Observations(), 15_000), "a quota lets no session open"
    release(job, step, 15_030)
    assert reconcile(job, Observations(), 15_031) == Wait(15_060)
    decide(job, 15_032, hold)
    reconcile(job, replace(ended, records=()), 15_040)
    release(job, decide(job, 20_040, let_go), 20_040)
    assert reconcile(job, Observations(), 20_041) == Wait(20_060)
    reconcile(job, Observations(), 20_060)
    assert job.failure
    assert job.failure.cause.reason == Reason.DEADLINE_EXCEEDED


def test_a_suspended_job_whose_script_does_not_end_fails_of_its_deadline() -> None:
    job = job_of("open", deadline=60)
    job.record(events.JobAdded(at=0))
    release(job, reconcile(job, Observations(), 0))
    decide(job, 20, Suspend())
    assert decide(job, 60, Suspend()) == Wait()
    assert (control_of(job), job.failure is None) == (CANCEL, False)


@pytest.mark.parametrize("begins", ["late", "again"])
def test_a_deadline_begins_with_the_job_and_with_a_resume(begins: str) -> None:
    job = job_of("open", deadline=60)
    job.record(events.JobAdded(at=0))
    assert decide(job, 10, Suspend()) == Wait()
    decide(job, 500, Unsuspend())
    if begins == "again":
        decide(job, 510, Suspend())
        job.record(events.JobCancelled(at=520))
        job.record(events.JobResumed(at=1000))
        reconcile(job, Observations(), 1000)
    began = 1000 if begins == "again" else 500
    release(job, reconcile(job, Observations(), began))
    assert reconcile(job, Observations(), began + 1) == Wait(began + 60)


def test_a_lost_session_is_replaced_after_its_pause() -> None:
    job = job_of("open", retry_lost=2, lost_backoff=10)
    job.record(events.JobAdded(at=0))
    for lost_at in (5, 20):
        release(job, reconcile(job, Observations(), lost_at))
        ended = Ended(log_is_complete=True, cause=LOST)
        assert reconcile(job, Observations((), ended), lost_at) == Wait(lost_at + 10)
        assert reconcile(job, Observations(), lost_at + 9) == Wait(lost_at + 10)
        assert isinstance(reconcile(job.copy(), Observations(), lost_at + 10), Open)


def test_a_resume_waits_for_no_loss_of_before_it() -> None:
    job = job_of("open", retry_lost=0, lost_backoff=10)
    job.record(events.JobAdded(at=0))
    release(job, reconcile(job, Observations(), 0))
    reconcile(job, Observations((), Ended(log_is_complete=True, cause=LOST)), 5)
    assert str(job.state) == "Failed"
    job.record(events.JobResumed(at=6))
    assert isinstance(reconcile(job, Observations(), 6), Open)


def test_a_deadline_does_not_wait_for_a_lost_sessions_pause() -> None:
    job = job_of("open", retry_lost=1, lost_backoff=100, deadline=60)
    job.record(events.JobAdded(at=0))
    release(job, reconcile(job, Observations(), 0))
    ended = Ended(log_is_complete=True, cause=LOST)
    assert reconcile(job, Observations((), ended), 5) == Wait(60)
    reconcile(job, Observations(), 60)
    assert job.failure
    assert job.failure.cause.reason == Reason.DEADLINE_EXCEEDED


def test_a_backoff_is_waited_for_between_sessions_too() -> None:
    job = job_of("do.retry1", retry_lost=1, backoff=30)
    job.record(events.JobAdded(at=0))
    release(job, reconcile(job, Observations(), 0))
    records = log(job, (STARTED, "do", 1), (FAILED, "do", 1), (RETRYING, "do", 1))
    seen = Observations(records, Ended(log_is_complete=True, cause=LOST))
    assert reconcile(job, seen, 10) == Wait(40)
    assert isinstance(reconcile(job, Observations(), 40), Open)


@pytest.mark.parametrize("its_clock", [-900.0, 900.0])
def test_a_backoff_is_counted_by_our_clock_not_by_the_sessions(its_clock: float) -> None:
    job = job_of("do.retry1", retry_lost=1, backoff=30)
    job.record(events.JobAdded(at=1000))
    release(job, reconcile(job, Observations(), 1000))
    records = log(job, (STARTED, "do", 1), (FAILED, "do", 1), (RETRYING, "do", 1))
    records = tuple(replace(event, at=1010 + its_clock) for event in records)
    seen = Observations(records, Ended(log_is_complete=True, cause=LOST))
    assert reconcile(job, seen, 1010) == Wait(1040)
