"""Actions on a job, and how the job goes on after them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from job_execution_framework.domain import events
from job_execution_framework.domain.actions import (
    Cancel,
    Pause,
    Resume,
    Retry,
    Skip,
    Unsuspend,
)
from job_execution_framework.domain.control import (
    CANCEL,
    GO_ON,
    PAUSE,
    SessionControl,
    control_of,
)
from job_execution_framework.domain.history import ACTIONS_KEPT
from job_execution_framework.domain.steps import Open, Wait
from job_execution_framework.domain.transitions import JobState
from job_execution_framework.service_layer import services
from job_execution_framework.service_layer.observations import Ended, Observations
from tests.support.jobs import job_of
from tests.support.jobs_in_states import (
    CAUSE,
    after,
    ending,
    failed,
    paused,
    paused_and_suspended,
    record_in_session,
    retrying,
    running,
    stopping,
    waiting,
)


def test_a_suspended_and_paused_job_runs_only_after_unsuspend_and_resume() -> None:
    for first, second in ((Unsuspend(), Resume()), (Resume(), Unsuspend())):
        job = paused_and_suspended()
        job.obey(first, 4)
        assert str(job.state) == "Suspended"
        job.obey(second, 5)
        assert str(job.state) == "Running"


def test_an_action_with_an_id_is_done_once() -> None:
    job = after(running(), Pause(action_id="a"), Resume(action_id="b"))
    assert job.why_not(Pause(action_id="a")) == "job job has already done the action with this id"
    assert job.why_not(Pause(action_id="c")) == ""
    for number in range(ACTIONS_KEPT):
        job.obey(
            Pause(action_id=f"p{number}") if number % 2 == 0 else Resume(action_id=f"r{number}"), 9
        )
    assert len(job.acted) == ACTIONS_KEPT
    assert "a" not in job.acted


def test_a_job_can_be_resumed_at_most_fifty_times() -> None:
    job = failed()
    for _ in range(50):
        job.obey(Resume(), 9)
        job.record(events.JobFailed(at=9, cause=CAUSE))
    assert job.why_not(Resume()) == (
        "job job was resumed 50 times, which is the most: create a new job"
    )


def test_a_resume_waits_until_the_last_session_has_ended() -> None:
    job = after(ending(), Resume())
    assert (str(job.state), control_of(job)) == ("Running", CANCEL)
    assert job.next(10) == Wait()
    job.record(events.SessionEnded(at=11, run="s1-1", cause=CAUSE))
    assert job.lost == {}, "it was to end"
    assert job.next(12) == Open("s1-2", "s1", ("open", "do", "save"))
    assert control_of(job) == GO_ON


def test_late_failures_of_the_last_session_use_up_no_retries_after_a_resume() -> None:
    job = after(running(), Cancel(), Resume(from_script="do"))
    record_in_session(job, events.ScriptFailed, "do")
    assert job.rows["do"].failures == 0
    job = after(running(), Cancel(), Resume(from_script="do"))
    record_in_session(job, events.ScriptSucceeded, "do")
    assert not job.rows["do"].done, "it was asked for once more"
    job = after(running(), Cancel(), Resume())
    record_in_session(job, events.ScriptSucceeded, "do")
    assert job.rows["do"].done


def test_a_paused_job_that_was_changed_goes_on_in_another_session() -> None:
    job = paused()
    scripts = tuple(
        replace(script, parameters={"frames": 9}) if script.name == "save" else script
        for script in job.scripts
    )
    job.obey(Resume(definition=replace(job.definition, scripts=scripts)), 4)
    assert control_of(job) == PAUSE, "the session that runs knows nothing of the change"
    record_in_session(job, events.ScriptSucceeded, "do")
    job.record(events.SessionEnded(at=5, run="s1-1"))
    assert job.script("save").parameters == {"frames": 9}
    assert job.next(6) == Open("s1-2", "s1", ("open", "do", "save"))
    assert job.events[-3].details() == "changed save.args.frames"


def test_a_pause_that_is_withdrawn_in_time_keeps_the_session() -> None:
    job = after(running(), Pause(), Resume())
    assert control_of(job) == GO_ON
    assert job.resumes == 0


def test_a_session_that_may_start_a_script_decides_whether_it_is_skipped() -> None:
    job = after(running(), Skip(script="save", by="ann", why="not today"))
    assert control_of(job).skip == ("save",)
    assert not job.rows["save"].done
    assert str(job.events[-1])[21:] == "SkipRequested 3/3 save, attempt 0, by ann, not today"
    started = job.copy()
    record_in_session(started, events.ScriptSucceeded, "do")
    record_in_session(started, events.ScriptStarted, "save")
    assert started.why_not(Skip(script="save")) == "job job cannot skip 'save', which runs now"
    services.reconcile(job, Observations(ended=Ended(log_is_complete=True)), 5)
    assert str(job.rows["save"].state) == "Skipped", "nobody can start it any more"


@pytest.mark.parametrize("begin", ["", "open"])
@pytest.mark.parametrize("ends", [events.ScriptFailed, events.ScriptSucceeded, None])
def test_a_resume_skips_a_script_that_is_still_being_stopped(
    ends: type[events.ScriptEvent] | None, begin: str
) -> None:
    job = after(stopping(), Resume(from_script=begin, skip=("do",)))
    assert (str(job.rows["do"].state), job.next(10)) == ("Running", Wait())
    if ends:
        record_in_session(job, ends, "do")
    step = services.reconcile(job, Observations(ended=Ended(log_is_complete=True)), 11)
    assert job.rows["do"].done
    is_kept = ends is events.ScriptSucceeded and not begin
    assert str(job.rows["do"].state) == ("Succeeded" if is_kept else "Skipped")
    scripts = ("open", "do", "save") if is_kept else ("open", "save")
    assert step == Open("s1-2", "s1", scripts), "what succeeded meanwhile is in no memory any more"


def test_a_retry_that_is_forced_waits_no_longer() -> None:
    job = after(retrying(), Retry(by="ann"))
    assert (control_of(job).retry, control_of(job).attempt) == ("do", 1)
    assert job.why_not(Retry()) == "job job was already asked to retry 'do' now"
    job.record(events.SessionEnded(at=3, run="s1-1"))
    assert job.next(4) == Open("s1-2", "s1", ("open", "do", "save"))
    waits = retrying()
    waits.record(events.SessionEnded(at=3, run="s1-1"))
    assert waits.next(4) == Wait(33)


def test_a_retry_that_is_forced_forces_no_other_loss() -> None:
    job = job_of("open", retry_lost=2, lost_backoff=10)
    job.record(events.JobAdded(at=0))
    job.record(events.JobStarted(at=0))
    for run, lost_at in (("s1-1", 3), ("s1-2", 5)):
        job.record(events.SessionOpened(at=1, run=run, session="s1", uid="u", scripts=("open",)))
        job.record(events.SessionEnded(at=lost_at, run=run, cause=CAUSE))
        assert job.next(6) == Wait(lost_at + 10)
        if run == "s1-1":
            job.obey(Retry(), 4)
            assert job.next(4) == Open("s1-2", "s1", ("open",))


def test_a_pause_after_a_script_takes_effect_with_it() -> None:
    job = after(running(), Pause(after="do"))
    assert control_of(job) == SessionControl(pause=True, after="do")
    record_in_session(job, events.ScriptSucceeded, "do")
    services.reconcile(job, Observations(ended=Ended(log_is_complete=True)), 5)
    assert job.state is JobState.SUSPENDED
    assert job.next(6) == Wait()
    job.obey(Resume(), 7)
    assert job.next(8) == Open("s1-2", "s1", ("open", "do", "save"))


@pytest.mark.parametrize("pause", [Pause(), Pause(after="do")], ids=["now", "after"])
def test_a_session_that_is_told_too_late_to_pause_pauses_later(pause: Pause) -> None:
    job = after(running(), pause)
    assert pause.outcome(job).startswith("its session was asked to pause after 'do'")
    record_in_session(job, events.ScriptSucceeded, "do")
    record_in_session(job, events.ScriptStarted, "save")
    services.reconcile(job, Observations(), 5)
    assert (job.state, control_of(job)) == (JobState.SUSPENDED, PAUSE)
    record_in_session(job, events.ScriptSucceeded, "save")
    services.reconcile(job, Observations(ended=Ended(log_is_complete=True)), 6)
    assert job.state is JobState.SUCCEEDED, "nothing is left to pause"


def test_a_session_is_in_doubt_only_of_what_it_was_given() -> None:
    job = after(waiting(), Skip(script="do"))
    job.record(events.JobStarted(at=1))
    given = ("open", "save")
    job.record(events.SessionOpened(at=1, run="s1-1", session="s1", uid="u", scripts=given))
    job = after(job, Cancel(), Resume(from_script="open"))
    services.reconcile(job, Observations(ended=Ended(log_is_complete=False, cause=CAUSE)), 5)
    states = [str(row.state) for row in job.rows.values()]
    assert states == ["Interrupted", "Skipped", "Interrupted"]


def test_what_is_to_run_again_does_so_however_often_the_job_is_resumed_meanwhile() -> None:
    job = after(running(), Cancel(), Resume(from_script="do"), Cancel())
    record_in_session(job, events.ScriptSucceeded, "do")
    job = after(job, Resume())
    record_in_session(job, events.ScriptStarted, "save")
    record_in_session(job, events.ScriptSucceeded, "save")
    job.record(events.SessionEnded(at=5, run="s1-1"))
    assert job.next(6) == Open("s1-2", "s1", ("open", "do", "save"))
