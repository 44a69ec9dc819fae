"""The buttons of a job's page: which there are, what they ask for, and what a cancel would mean."""

from __future__ import annotations

from dataclasses import replace

import pytest

from enso_operator.http_api.port import JobSnapshot
from enso_operator.http_api.rights import ALLOWED, Rights
from enso_operator.http_api.web.views.actions import Button, actions_of
from enso_operator.http_api.web.views.cancel_page import CancelPage, cancel_page
from job_execution_framework.domain import events
from job_execution_framework.domain.actions import Cancel, Pause
from job_execution_framework.domain.cause import Cause
from job_execution_framework.domain.retries import Retries
from job_execution_framework.domain.script import LibraryScript, Script, When
from tests.support.job_story import Story

BROKE = Cause("Exception", "it broke")
NAMES = ("open", "bake", "publish")


def _script(name: str, **fields: object) -> Script:
    return replace(Script(name, LibraryScript(name)), **fields)  # type: ignore[arg-type]  # of the test


def _story(*more: Script, **fields: object) -> Story:
    story = Story.of(*(_script(name, **fields) for name in NAMES), *more)
    story.opens("main-1", *NAMES)
    return story


def _snapshot(story: Story) -> JobSnapshot:
    return JobSnapshot(story.job.id, str(story.job.state), None, story.job)


def _buttons(story: Story, rights: Rights = ALLOWED) -> dict[str, Button]:
    found = actions_of(_snapshot(story), rights).buttons
    return {button.label: button for button in found}


def _means(story: Story) -> dict[str, tuple[str, ...]]:
    page = cancel_page(_snapshot(story))
    assert page.why_not == ""
    return {one.word: one.scripts for one in page.consequences}


def test_cancel_is_the_last_of_the_buttons() -> None:
    story = _story()
    story.starts("open")
    assert [*_buttons(story)] == ["Resume…", "Pause", "Skip", "Cancel…"]


def test_what_is_about_a_script_is_there_where_there_is_such_a_script() -> None:
    story = _story(retries=Retries(limit=1, backoff_seconds=40))
    assert "Retry now" not in _buttons(story)
    story.fails("open", BROKE)
    assert _buttons(story)["Retry now"].why_not == ""
    assert _buttons(story, Rights(act="You may not."))["Retry now"].why_not == "You may not."
    story.fails("open", BROKE)
    story.job_fails("open", BROKE)
    shown = _buttons(story)
    assert [*shown] == ["Resume…", "Pause", "Cancel…"]
    assert "only a job that has not ended" in shown["Pause"].why_not


def test_a_pause_says_when_it_begins() -> None:
    story = _story()
    texts = [choice.text for choice in _buttons(story)["Pause"].choices]
    assert texts == ["now", "after open", "after bake", "after publish"]
    story.starts("open")
    texts = [choice.text for choice in _buttons(story)["Pause"].choices]
    assert texts == ["when open ends", "after bake", "after publish"]


@pytest.mark.parametrize("after", ["", "bake"])
def test_a_pause_that_has_not_begun_can_be_taken_back(after: str) -> None:
    story = _story()
    story.starts("open")
    story.job.obey(Pause(after=after), story.at)
    shown = _buttons(story)
    assert "Resume…" not in shown
    assert (shown["Do not pause"].verb, shown["Do not pause"].why_not) == ("unpause", "")
    assert not any(button.is_first for button in shown.values() if not button.why_not)


def test_a_job_that_is_paused_is_resumed() -> None:
    story = _story()
    story.succeeds("open")
    story.job.obey(Pause(), story.at)
    shown = _buttons(story)
    assert "Do not pause" not in shown
    assert shown["Resume…"].why_not == ""


def test_a_cancel_says_what_is_lost_and_what_is_kept() -> None:
    story = Story.of(
        _script("cook", checkpoint=True),
        *map(_script, NAMES),
        _script("tell", when=When.ALWAYS),
        _script("mourn", when=When.FAILED),
    )
    story.opens("main-1", "cook", *NAMES)
    story.succeeds("cook")
    story.succeeds("open")
    story.starts("bake")
    assert _means(story) == {
        "Stops": ("bake",),
        "Kept": ("cook",),
        "Lost": ("open",),
        "Not run": ("publish",),
        "Runs now": ("tell",),
        "After it": (),
    }
    assert str(story.job.state) == "Running"


def test_a_cancel_of_what_cleans_up_ends_only_that() -> None:
    story = _story(_script("tell", when=When.ALWAYS), _script("tidy", when=When.ALWAYS))
    story.fails("open", BROKE)
    story.job_fails("open", BROKE)
    story.opens("finally-1", "tell", "tidy")
    story.starts("tell")
    assert _means(story) == {"Stops": ("tell",), "Not run": ("tidy",), "Stays": ()}
    assert cancel_page(_snapshot(story)).is_of_finally
    assert _buttons(story)["Cancel cleaning up…"].why_not == ""
    story.job.obey(Cancel(), story.at)
    assert _buttons(story)["Cancel…"].why_not


def test_a_job_that_has_ended_says_why_it_cannot_be_cancelled() -> None:
    story = _story()
    story.job.obey(Cancel(), story.at)
    story.closes()
    page = cancel_page(_snapshot(story))
    assert page.is_allowed
    assert page.why_not.startswith("shot-010 is Cancelled")
    assert "only a job that has not ended can be cancelled" in page.why_not
    assert cancel_page(JobSnapshot("x", "Failed", None, None)).why_not


def test_who_may_not_cancel_is_told_so() -> None:
    page = cancel_page(_snapshot(_story()), "shows", Rights(act="You may not."))
    assert page == CancelPage("shot-010", "shows", "You may not.", is_allowed=False)
    assert page.address("/cancel") == "/jobs/shot-010/cancel?namespace=shows"


def test_a_job_that_cannot_be_resumed_any_more_says_so() -> None:
    story = _story()
    for _ in range(50):
        story.job.obey(Cancel(), story.at)
        story.record(events.JobResumed(at=story.at))
    page = cancel_page(_snapshot(story))
    assert page.consequences[-1].sentence.startswith("It cannot be resumed: it was resumed 50")
