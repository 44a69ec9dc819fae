"""The column ACTIVITY: what a job does between two states, as the page of the job says it."""

from __future__ import annotations

from dataclasses import replace

from enso_operator.api.status import EnsoJobStatus
from enso_operator.kube.status import columns
from enso_operator.kube.status.finer_states import finer_state, word_of
from enso_operator.kube.status.write import status_of
from job_execution_framework.domain.actions import Cancel, Pause, Resume
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.retries import Retries
from job_execution_framework.domain.script import LibraryScript, Script, When
from tests.support.job_story import Story
from tests.unit.operator.kube.status.test_simulation import through_status

BROKE = Cause("OutOfMemory", "it used more than 4 GiB")
STOPPED = Cause(Reason.CANCELLED, "it was ended, because the job was cancelled")


def _story(retries: Retries | None = None) -> Story:
    open_ = Script("open", LibraryScript("open"))
    simulate = replace(open_, name="simulate", retries=retries or Retries())
    cleanup = replace(open_, name="cleanup", session="finally", when=When.ALWAYS)
    story = Story.of(open_, simulate, cleanup)
    story.opens("main-1", "open", "simulate")
    story.succeeds("open")
    return story


def _columns(story: Story) -> tuple[str, str | None, str | None]:
    """Return STATUS, ACTIVITY and REASON; the page says the same of the job as of its status."""
    status = status_of(story.job, 1, EnsoJobStatus())
    restored = through_status(story.job)
    assert columns.activity(restored) == status.activity
    if status.activity:
        assert word_of(status.activity) == finer_state(story.job) == finer_state(restored)
    (succeeded,) = (one for one in status.conditions or () if one.type == "Succeeded")
    return succeeded.reason, status.activity, status.reason


def test_a_job_that_runs_or_waits_for_its_session_has_none() -> None:
    story = Story.of(Script("open", LibraryScript("open")))
    assert _columns(story) == ("Waiting", None, None)
    story.opens("main-1", "open")
    story.starts("open")
    assert _columns(story) == ("Running", None, None)


def test_a_job_that_failed_cleans_up_until_its_finally_scripts_are_over() -> None:
    story = _story()
    story.fails("simulate", BROKE)
    story.job_fails("simulate", BROKE)
    assert _columns(story) == ("Failed", "CleaningUp", "OutOfMemory")
    story.opens("finally-1", "cleanup")
    story.succeeds("cleanup")
    story.closes()
    assert _columns(story) == ("Failed", None, "OutOfMemory")


def test_a_job_is_being_cancelled_until_its_script_has_stopped_and_then_cleans_up() -> None:
    story = _story()
    story.starts("simulate")
    story.job.obey(Cancel(), story.at)
    assert _columns(story) == ("Cancelled", "Cancelling", None)
    story.breaks("simulate", STOPPED)
    assert _columns(story) == ("Cancelled", "CleaningUp", None)


def test_a_job_waits_for_a_retry_in_its_session_and_without_one() -> None:
    story = _story(Retries(limit=2, backoff_seconds=40))
    story.fails("simulate", BROKE)
    assert _columns(story) == ("Running", "WaitingForRetry", "OutOfMemory")
    story.closes()
    assert _columns(story) == ("Waiting", "WaitingForRetry", "OutOfMemory")
    story.opens("main-2", "open", "simulate")
    story.starts("open")
    assert _columns(story)[1] is None


def test_a_job_is_pausing_until_its_script_has_ended() -> None:
    story = _story()
    story.starts("simulate")
    story.job.obey(Pause(), story.at)
    assert _columns(story) == ("Suspended", "Pausing", None)
    story.ends("simulate")
    assert _columns(story) == ("Suspended", None, "Paused")


def test_a_resume_waits_to_start_until_what_ran_before_has_stopped() -> None:
    story = _story()
    story.starts("simulate")
    story.job.obey(Cancel(without_finally=True), story.at)
    story.job.obey(Resume(), story.at)
    assert _columns(story) == ("Running", "WaitingToStart", None)
