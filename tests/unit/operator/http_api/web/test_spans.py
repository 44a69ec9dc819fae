"""How long scripts ran, and what of the time between is not counted as work."""

from __future__ import annotations

from enso_operator.http_api.port import JobSnapshot
from enso_operator.http_api.web.views.job_page import JobPage, job_page
from enso_operator.http_api.web.views.scripts import ShownScript
from enso_operator.http_api.web.views.spans import Times
from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Cause
from job_execution_framework.domain.retries import Retries
from job_execution_framework.domain.row import ATTEMPTS_KEPT
from job_execution_framework.domain.script import LibraryScript, Script
from tests.support.job_story import Story

CAUSE = Cause("Exception", "2 substeps are too few", "ValueError")
HOUR = 3600


def _page(story: Story) -> JobPage:
    job = story.job
    return job_page(JobSnapshot(job.id, str(job.state), None, job), story.at)


def _shown(story: Story, name: str) -> ShownScript:
    return next(script for script in _page(story).scripts if script.name == name)


def _of(*names: str) -> Story:
    retries = Retries(limit=100)
    return Story.of(*(Script(name, LibraryScript(name), retries=retries) for name in names))


def test_an_hour_between_a_failure_and_its_resume_is_no_work() -> None:
    story = _of("open", "save")
    story.opens("main-1", "open", "save")
    story.succeeds("open", 10)
    story.fails("save", CAUSE, 5)
    story.job_fails("save", CAUSE)
    story.at += HOUR
    story.record(events.JobResumed(at=story.at))
    story.opens("main-2", "open", "save")
    story.succeeds("open", 10)
    story.succeeds("save", 5)
    story.closes()
    story.record(events.JobSucceeded(at=story.at))

    assert _page(story).times == Times(30, HOUR + 30, is_least=False)
    assert _shown(story, "save").times == Times(10, HOUR + 20, is_least=False)


def test_an_hour_before_a_retry_is_no_work() -> None:
    story = _of("save")
    story.opens("main-1", "save")
    story.fails("save", CAUSE, 5)
    story.at += HOUR
    story.succeeds("save", 5)

    shown = _shown(story, "save")
    assert shown.seconds == 5
    assert shown.times == Times(10, HOUR + 10, is_least=False)


def test_a_script_that_is_skipped_an_hour_later_did_not_run_for_an_hour() -> None:
    story = _of("save")
    story.opens("main-1", "save")
    story.fails("save", CAUSE, 5)
    story.closes()
    story.at += HOUR
    story.record(story.job.script_event(events.ScriptSkipped, "save", 1, story.at))

    (attempt,) = _shown(story, "save").attempts
    assert (attempt.state, attempt.seconds) == ("Skipped", 5)


def test_of_an_attempt_that_was_lost_it_is_known_how_long_it_ran_at_most() -> None:
    story = _of("save")
    story.opens("main-1", "save")
    story.starts("save")
    story.at += HOUR
    lost = Cause("SessionLost", "its Pod is gone")
    story.record(story.job.script_event(events.ScriptInterrupted, "save", 1, story.at, cause=lost))
    story.closes(lost)

    (attempt,) = _shown(story, "save").attempts
    assert (attempt.seconds, attempt.is_at_most) == (HOUR, True)


def test_the_start_of_the_interpreter_stands_apart() -> None:
    story = _of("save", "close")
    story.opens("main-1", "save", "close")
    story.starts("save")
    story.at += 30
    story.ends("save", 10)  # as its session measured it, from when its interpreter was there
    story.succeeds("close", 10)
    story.closes()
    story.record(events.JobSucceeded(at=story.at))

    (saved,), (closed,) = (_shown(story, name).attempts for name in ("save", "close"))
    assert (saved.seconds, saved.starting) == (10, 20)
    assert (closed.seconds, closed.starting) == (10, 0)
    assert saved.bar is not None
    assert closed.bar is not None
    assert saved.bar.left == saved.bar.starting == 50
    assert (saved.bar.width, closed.bar.left, closed.bar.starting) == (25, 75, 0)


def test_attempts_that_nobody_remembers_make_it_at_least_so_long() -> None:
    story = _of("save")
    story.opens("main-1", "save")
    for _ in range(ATTEMPTS_KEPT + 3):
        story.fails("save", CAUSE, 2)

    assert _shown(story, "save").times == Times(
        2 * (ATTEMPTS_KEPT + 1), 2 * (ATTEMPTS_KEPT + 1), is_least=True
    )


def test_nothing_is_said_while_something_runs() -> None:
    story = _of("save")
    story.opens("main-1", "save")
    assert _page(story).times is None
    story.starts("save")
    assert _page(story).times is None


def test_the_axis_has_an_end_once_nothing_goes_on() -> None:
    story = _of("open", "save")
    story.opens("main-1", "open", "save")
    story.succeeds("open", 10)
    timeline = _page(story).timeline
    assert timeline is not None
    assert [tick.is_end for tick in timeline.ticks] == [False]

    story.succeeds("save", 5)
    story.closes()
    story.record(events.JobSucceeded(at=story.at))
    timeline = _page(story).timeline
    assert timeline is not None
    assert [(tick.at, tick.left) for tick in timeline.ticks if tick.is_end] == [(story.at, 100)]


def test_a_session_run_ends_before_the_pause_that_follows_it() -> None:
    story = _of("save")
    story.opens("main-1", "save")
    story.fails("save", CAUSE, 5)
    story.at += 1
    story.job_fails("save", CAUSE)
    story.at += HOUR
    story.record(events.JobResumed(at=story.at))
    story.opens("main-2", "save")
    story.succeeds("save", 5)

    timeline = _page(story).timeline
    assert timeline is not None
    (cut,) = timeline.cuts
    first, _ = timeline.bands
    assert first.width == cut.left
