"""The failure card names the finally scripts that a resume runs, as its form does."""

from __future__ import annotations

from job_execution_framework.domain.cause import Cause
from job_execution_framework.domain.failure_card import failure_card
from job_execution_framework.domain.script import LibraryScript, Script, When
from tests.support.job_story import Story

BROKE = Cause("Exception", "it broke")


def test_the_finally_scripts_of_a_success_are_told() -> None:
    story = Story.of(
        Script("open", LibraryScript("open"), setup=True),
        Script("bake", LibraryScript("bake")),
        Script("tidy", LibraryScript("tidy"), when=When.ALWAYS),
        Script("mourn", LibraryScript("mourn"), when=When.FAILED),
    )
    story.opens("main-1", "open", "bake")
    story.succeeds("open")
    story.fails("bake", BROKE)
    story.job_fails("bake", BROKE)
    card = failure_card(story.job, resume="enso resume")
    assert card is not None
    assert "        runs open (setup), bake, tidy (finally)" in card.why
