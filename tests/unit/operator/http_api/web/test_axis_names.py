"""Short session runs are named beside them, bars are explained, and numbers are proper words."""

from __future__ import annotations

from enso_operator.http_api.port import JobSnapshot
from enso_operator.http_api.web.views.job_page import JobPage, job_page
from enso_operator.http_api.web.views.plan import plan_of
from job_execution_framework.domain import events
from job_execution_framework.domain.actions import Cancel
from job_execution_framework.domain.cause import Cause
from job_execution_framework.domain.forecast import forecast
from job_execution_framework.domain.script import LibraryScript, Script
from tests.support.job_story import Story

CAUSE = Cause("Exception", "it broke")


def _page(story: Story, message: str = "") -> JobPage:
    job = story.job
    return job_page(JobSnapshot(job.id, str(job.state), None, job, message=message), story.at)


def _of(*names: str) -> Story:
    return Story.of(*(Script(name, LibraryScript(name)) for name in names))


def test_names_of_short_runs_are_shown_where_there_is_room_beside_them() -> None:
    story = _of("save")
    for run, seconds in (("main-1", 1), ("main-2", 60), ("finally-1", 1)):
        if run != "main-1":
            story.record(events.JobResumed(at=story.at))
        story.opens(run, "save")
        story.fails("save", CAUSE, seconds)
        story.job_fails("save", CAUSE)
    timeline = _page(story).timeline
    assert timeline is not None
    shown = {band.name: (band.from_width, band.ends_there) for band in timeline.bands}
    assert shown["main-1"][0] is not None
    assert shown["finally-1"][0] is not None
    assert shown["finally-1"][1]


def test_only_bars_that_are_there_are_explained() -> None:
    story = _of("open", "save")
    story.opens("main-1", "open", "save")
    story.succeeds("open", 10)
    story.fails("save", CAUSE, 10)
    story.job_fails("save", CAUSE)
    assert _page(story).legend == ()

    story.at += 3600
    story.record(events.JobResumed(at=story.at))
    story.opens("main-2", "open", "save")
    story.starts("open")
    story.at += 20
    story.ends("open", 10)
    assert [kind for kind, _ in _page(story).legend] == ["again", "starting", "cut-out"]


def test_a_message_that_only_repeats_the_state_is_left_out() -> None:
    story = _of("save")
    story.job.obey(Cancel(), story.at)
    assert _page(story, "cancelled").message == ""
    assert _page(story, "cancelled; its session is gone").message


def test_a_plan_is_told_in_proper_numbers() -> None:
    assert plan_of(forecast(_of("save").job)).summary == "1 script runs"
    assert plan_of(forecast(_of("open", "save").job)).summary == "2 scripts run"
