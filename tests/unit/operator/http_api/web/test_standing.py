"""How a job and its scripts stand, in the words of its page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from enso_operator.http_api.memory_rows import row_of
from enso_operator.http_api.port import JobSnapshot
from enso_operator.http_api.web.views.job_page import JobPage, job_page
from enso_operator.http_api.web.views.scripts import ShownScript
from enso_operator.http_api.web.views.standing import Retry, Standing
from enso_operator.kube.status import columns
from enso_operator.kube.status.conditions import message_of
from job_execution_framework.domain import events
from job_execution_framework.domain.actions import Action, Cancel, Pause, Skip
from job_execution_framework.domain.actions import Retry as RetryNow
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.failure_card import failure_card
from job_execution_framework.domain.retries import Retries
from job_execution_framework.domain.script import LibraryScript, Script
from tests.support.job_story import Story
from tests.support.jobs_in_states import JOBS
from tests.unit.operator.kube.status.test_simulation import through_status

BROKE = Cause("Exception", "no licence is free", "RuntimeError")
NAMES = ("open", "bake", "publish")


def _story(**fields: object) -> Story:
    script = Script("open", LibraryScript("open"))
    story = Story.of(*(replace(script, name=name, **fields) for name in NAMES))  # type: ignore[arg-type]
    story.opens("main-1", *NAMES)
    return story


def _asks(story: Story, action: Action) -> None:
    story.job.obey(action, story.at)


def _page(story: Story) -> JobPage:
    """Return the page as jobs in memory are shown."""
    job = story.job
    card, said = failure_card(job), message_of(job, (), columns.waits(job))
    snapshot = JobSnapshot(job.id, str(job.state), card, job, message="" if card else said)
    return job_page(snapshot, story.at)


def _shown(story: Story, name: str) -> ShownScript:
    return next(script for script in _page(story).scripts if script.name == name)


@pytest.mark.parametrize("by_spec", [False, True])
def test_a_job_is_not_paused_while_a_script_runs(by_spec: bool) -> None:
    story = _story()
    story.starts("open")
    if by_spec:
        story.record(events.JobSuspended(at=story.at))
    else:
        _asks(story, Pause())
    standing = _page(story).standing
    assert (standing.look, standing.word) == ("Suspended", "Pausing")
    assert standing.message.startswith("open is still running; nothing starts after it")
    assert _shown(story, "open").note == "will pause after this script"
    assert _shown(story, "bake").note == ""

    story.ends("open")
    standing = _page(story).standing
    assert (standing.look, standing.word) == ("Suspended", "Suspended" if by_spec else "Paused")
    assert _shown(story, "open").note == ""


def test_a_pause_to_come_is_marked_at_its_script() -> None:
    story = _story()
    story.starts("open")
    _asks(story, Pause(after="bake"))
    assert _page(story).standing.word == "Running"
    assert [script.note for script in _page(story).scripts] == [
        "",
        "will pause after this script",
        "",
    ]
    _asks(story, Cancel())
    assert _shown(story, "bake").note == ""


def test_a_job_that_waits_for_a_retry_says_when_it_is() -> None:
    story = _story(retries=Retries(limit=2, backoff_seconds=40))
    story.fails("open", BROKE)
    page, retry = _page(story), Retry("open", 2, story.at + 40, "retry 1 of 2", str(BROKE))
    assert page.standing == Standing("Waiting", "Waiting for retry", retry=retry)
    assert page.message == ""
    assert (_shown(story, "open").retry, _shown(story, "bake").retry) == (retry, None)

    _asks(story, RetryNow())
    assert _page(story).standing.word == "Running"
    assert _shown(story, "open").note == "starts again now"


def test_a_retry_in_a_new_session_says_what_runs_again_before_it() -> None:
    story = _story(retries=Retries(limit=2, backoff_seconds=60))
    story.succeeds("open")
    story.fails("bake", BROKE)
    assert _page(story).standing.again == ("open",)
    story.closes()
    assert _page(story).standing.again == ("open",)

    story = _story(retries=Retries(limit=2, backoff_seconds=40))
    story.succeeds("open")
    story.fails("bake", BROKE)
    assert _page(story).standing.again == ()


def test_what_else_a_job_waits_for_is_said_beside_its_retry() -> None:
    story = _story(retries=Retries(limit=2, backoff_seconds=40))
    story.fails("open", BROKE)
    job, waits = story.job, "main-2 waits: Unschedulable: no node has 64Gi"
    page = job_page(JobSnapshot(job.id, "Running", None, job, message=waits), story.at)
    assert page.message == waits


def test_a_retry_after_the_end_of_its_session_has_no_time_yet() -> None:
    story = _story(retries=Retries(limit=2, backoff_seconds=3600))
    story.fails("open", BROKE)
    retry = _page(story).standing.retry
    assert retry
    assert retry.at is None
    story.closes()
    retry = _page(story).standing.retry
    assert retry
    assert retry.at == story.at + 3600


def test_a_job_is_not_cancelled_while_a_script_is_being_stopped() -> None:
    story = _story()
    story.starts("open")
    _asks(story, Cancel())
    assert _page(story).standing == Standing("Cancelled", "Cancelling", "open is being stopped.")
    story.ends("open")
    assert _page(story).standing.word == "Cancelled"


def test_a_script_that_was_stopped_is_cancelled_and_not_failed() -> None:
    story = _story()
    story.fails("open", Cause(Reason.CANCELLED, "it was ended, because the job was cancelled"))
    _asks(story, Cancel())
    shown = _shown(story, "open")
    assert (shown.state, shown.attempts[0].state) == ("Cancelled", "Cancelled")


def test_a_script_that_was_skipped_is_not_counted_as_done() -> None:
    story = _story()
    story.succeeds("open")
    _asks(story, Skip(script="bake"))
    story.skips("bake")
    page = _page(story)
    assert (page.done, page.skipped, page.total) == (1, 1, 3)
    row = row_of(story.job)
    assert (row.done, row.skipped) == ("2/3", 1)


@pytest.mark.parametrize("name", JOBS)
def test_a_job_that_was_restored_from_its_status_stands_as_it_did(name: str) -> None:
    job = JOBS[name]()
    pages = [
        job_page(JobSnapshot(job.id, str(one.state), None, one), 10)
        for one in (job, through_status(job))
    ]
    told, restored = (
        [
            (
                page.standing.look,
                page.standing.word,
                page.standing.message,
                page.done,
                page.skipped,
            ),
            [(one.state, one.note, one.retry and one.retry.attempt) for one in page.scripts],
        ]
        for page in pages
    )
    assert restored == told
