"""What the page says between two states: of what was resumed, paused or cancelled a moment ago."""

from __future__ import annotations

from dataclasses import replace

import pytest

from enso_operator.http_api.port import JobSnapshot
from enso_operator.http_api.web.views.job_page import JobPage, job_page
from enso_operator.http_api.web.views.scripts import ShownScript
from job_execution_framework.domain import events
from job_execution_framework.domain.actions import Action, Cancel, Pause, Resume, Skip, Suspend
from job_execution_framework.domain.actions import Retry as RetryNow
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.retries import Retries
from job_execution_framework.domain.script import LibraryScript, Script
from tests.support.job_story import Story

BROKE = Cause("Exception", "no licence is free", "RuntimeError")
STOPPED = Cause(Reason.CANCELLED, "it was ended, because the job was cancelled")
NAMES = ("open", "bake", "publish")


def _story(retries: Retries = Retries()) -> Story:  # noqa: B008  # frozen
    script = Script("open", LibraryScript("open"), retries=retries)
    story = Story.of(*(replace(script, name=name) for name in NAMES))
    story.opens("main-1", *NAMES)
    return story


def _asks(story: Story, action: Action) -> None:
    story.job.obey(action, story.at)


def _page(story: Story) -> JobPage:
    job = story.job
    return job_page(JobSnapshot(job.id, str(job.state), None, job), story.at)


def _shown(story: Story, name: str) -> ShownScript:
    return next(script for script in _page(story).scripts if script.name == name)


def _stands(story: Story) -> tuple[str, str]:
    return _page(story).standing.look, _page(story).standing.word


def test_a_script_that_was_skipped_after_a_forced_retry_is_skipped() -> None:
    story = _story(Retries(limit=2, backoff_seconds=40))
    story.fails("open", BROKE)
    _asks(story, RetryNow())
    _asks(story, Skip(script="open"))
    assert _shown(story, "open").note == "will be skipped"
    story.skips("open")
    assert (_shown(story, "open").state, _shown(story, "open").note) == ("Skipped", "")
    assert not story.job.rows["open"].retry_forced


def test_a_job_that_was_resumed_waits_to_start_and_retries_nothing() -> None:
    story = _story()
    story.starts("open")
    _asks(story, Cancel())
    assert _shown(story, "open").note == "is being stopped"
    story.breaks("open", STOPPED)
    story.closes()
    _asks(story, Resume())
    assert _stands(story) == ("Waiting", "Waiting to start")
    assert (_shown(story, "open").state, _shown(story, "open").note) == (
        "Cancelled",
        "will run again",
    )
    story.opens("main-2", *NAMES)
    assert _stands(story) == ("Waiting", "Waiting to start")
    story.starts("open")
    assert _stands(story) == ("Running", "Running")
    assert _shown(story, "open").note == ""


def test_what_ran_before_a_resume_is_stopped_first() -> None:
    story = _story()
    story.starts("open")
    _asks(story, Cancel())
    _asks(story, Resume())
    assert _stands(story) == ("Waiting", "Waiting to start")
    assert _page(story).standing.message == "open is being stopped first."
    assert _shown(story, "open").note == "is being stopped"


def test_a_job_that_was_started_waits_until_its_session_begins() -> None:
    story = Story.of(Script("open", LibraryScript("open")))
    assert _stands(story) == ("Waiting", "Waiting to start")
    story.opens("main-1", "open")
    assert _stands(story) == ("Waiting", "Waiting to start")
    story.starts("open")
    assert _stands(story) == ("Running", "Running")


@pytest.mark.parametrize(
    ("action", "sentence"),
    [
        (Pause(), "Paused after open. A resume goes on with bake."),
        (
            Pause(by="ann", why="look first"),
            "Paused by ann (look first) after open. A resume goes on with bake.",
        ),
        (
            Suspend(),
            "Suspended by its spec: the job goes on with bake once spec.suspend is false.",
        ),
    ],
)
def test_a_job_that_is_held_says_by_whom_and_what_a_resume_does(
    action: Action, sentence: str
) -> None:
    story = _story()
    story.starts("open")
    _asks(story, action)
    story.ends("open")
    assert _page(story).standing.message == sentence
    story.closes()
    assert _page(story).standing.message == sentence


def test_a_pause_that_began_later_still_says_who_asked_for_it() -> None:
    story = _story()
    story.starts("open")
    _asks(story, Pause(after="open", by="ann"))
    story.ends("open")
    story.record(events.JobPaused(at=story.at))
    said = _page(story).standing
    assert said.word == "Paused"
    assert said.message == "Paused by ann after open. A resume goes on with bake."


def test_a_pause_before_the_first_script_says_what_begins() -> None:
    story = _story()
    _asks(story, Pause())
    assert _page(story).standing.message == "Paused. A resume begins with open."


def test_a_job_that_was_paused_while_it_waited_for_a_retry_says_both() -> None:
    story = _story(Retries(limit=2, backoff_seconds=40))
    story.fails("open", BROKE)
    _asks(story, Pause(by="ann"))
    story.closes()
    assert _stands(story) == ("Suspended", "Paused")
    assert _page(story).standing.message == (
        "Paused by ann while open waited for retry 1 of 2, as attempt 1 failed: "
        "RuntimeError: no licence is free. A resume goes on with attempt 2 of open."
    )


def test_a_job_that_is_paused_and_suspended_is_not_let_go_by_a_resume_alone() -> None:
    story = _story()
    story.succeeds("open")
    _asks(story, Suspend())
    _asks(story, Pause())
    assert _page(story).standing.message.endswith("; it stays suspended by its spec.")


def test_what_prepares_a_retry_is_running() -> None:
    story = _story(Retries(limit=2, backoff_seconds=90))
    story.succeeds("open")
    story.fails("bake", BROKE)
    story.closes()
    assert _stands(story) == ("Waiting", "Waiting for retry")
    story.at += 90
    story.opens("main-2", *NAMES)
    story.starts("open")
    assert _stands(story) == ("Running", "Running")


def test_that_it_is_cancelled_is_said_once() -> None:
    story = _story()
    _asks(story, Cancel())
    job = story.job
    for said, told in (("cancelled", ""), ("cancelled: by ann", "cancelled: by ann")):
        page = job_page(JobSnapshot(job.id, "Cancelled", None, job, message=said), story.at)
        assert page.message == told
