"""One attempt took one time, wherever that is said: what its session measured."""

from __future__ import annotations

import pytest

from enso_operator.http_api.port import JobSnapshot
from enso_operator.http_api.responses import ScriptShown
from enso_operator.http_api.web.views.events import event_list
from enso_operator.http_api.web.views.job_page import job_page
from job_execution_framework.domain.cause import Cause
from job_execution_framework.domain.events import took
from job_execution_framework.domain.failure_card import failure_card
from job_execution_framework.domain.script import LibraryScript, Script
from tests.support.job_story import Story

CAUSE = Cause("Exception", "2 substeps are too few", "ValueError")


@pytest.mark.parametrize(
    ("seconds", "recorded"),
    [
        pytest.param(0.018, 0.039, id="the records lie further apart"),
        pytest.param(0.018, 0.017, id="the clock of the records was put back meanwhile"),
        pytest.param(4, 64, id="an interpreter was started first"),
    ],
)
def test_the_same_is_said_of_an_attempt_everywhere(seconds: float, recorded: float) -> None:
    story = Story.of(Script("save", LibraryScript("save")))
    story.opens("main-1", "save")
    story.starts("save")
    story.at += recorded
    story.breaks("save", CAUSE, seconds)
    story.job_fails("save", CAUSE)
    job, said = story.job, took(seconds)

    snapshot = JobSnapshot(job.id, str(job.state), failure_card(job), job)
    page = job_page(snapshot, story.at)
    (script,), failure, card = page.scripts, page.failure, snapshot.card
    assert failure is not None
    assert card is not None
    assert page.times is not None
    (attempt,) = script.attempts
    assert [took(one or 0) for one in (attempt.seconds, script.seconds, failure.seconds)] == [
        said
    ] * 3
    assert took(page.times.ran) == said
    assert f"failed after {said}" in card.why[0]
    assert any(f"attempt 1, {said}:" in event.details for event in event_list(snapshot).events)
    assert took(ScriptShown.of(job, job.script("save")).seconds) == said
