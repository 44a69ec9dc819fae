"""What people asked of a job: one row for each request, and none for what follows from one."""

from __future__ import annotations

import pytest

from enso_operator.http_api.web.views.requests import requests_of
from job_execution_framework.domain.actions import Action, Cancel, Pause, Resume, Skip
from job_execution_framework.domain.cause import Cause
from job_execution_framework.domain.row import ScriptState
from job_execution_framework.domain.script import LibraryScript, Script
from job_execution_framework.service_layer import services
from job_execution_framework.service_layer.observations import Observations
from tests.support.job_story import Story

BROKE = Cause("Exception", "it broke")
NAMES = ("open", "bake", "publish")


@pytest.fixture
def story() -> Story:
    return Story.of(*(Script(name, LibraryScript(name)) for name in NAMES))


def asks(story: Story, action: Action) -> None:
    story.at += 1
    story.job.obey(action, story.at)


def asked(story: Story) -> list[tuple[str, str, str]]:
    return [(request.what, request.by, request.why) for request in requests_of(story.job)]


def test_a_resume_that_skips_is_one_request(story: Story) -> None:
    story.opens("main-1", *NAMES)
    story.fails("open", BROKE)
    story.job_fails("open", BROKE)
    asks(story, Resume(skip=("open", "bake"), by="mara", why="made by hand"))
    assert asked(story) == [("resume, skipping open, bake", "mara", "made by hand")]


def test_a_skip_that_its_session_confirms_is_one_request(story: Story) -> None:
    story.opens("main-1", *NAMES)
    story.starts("open")
    asks(story, Skip(script="publish", why="not needed"))
    story.ends("open")
    story.skips("publish")
    assert story.job.rows["publish"].state is ScriptState.SKIPPED
    assert asked(story) == [("skip publish", "", "not needed")]


def test_a_pause_after_a_script_is_one_request(story: Story) -> None:
    story.opens("main-1", *NAMES)
    story.starts("open")
    asks(story, Pause(after="open", why="the machine is needed"))
    story.ends("open")
    services.reconcile(story.job, Observations(), story.at)
    assert str(story.job.state) == "Suspended"
    assert asked(story) == [("pause after open", "", "the machine is needed")]


def test_each_request_of_its_own_is_told_the_latest_first(story: Story) -> None:
    asks(story, Skip(script="bake"))
    story.opens("main-1", "open", "publish")
    story.starts("open")
    asks(story, Pause(after="open"))
    asks(story, Pause())
    asks(story, Resume())
    asks(story, Cancel())
    assert [what for what, _, _ in asked(story)] == [
        "cancel",
        "do not pause",
        "pause",
        "pause after open",
        "skip bake",
    ]
