"""A status keeps how long a script ran, which its times alone do not say."""

from __future__ import annotations

import pytest

from enso_operator.api.status import EnsoJobStatus
from enso_operator.kube.status.size import document_of
from enso_operator.kube.status.write import status_of
from job_execution_framework.domain.cause import Cause
from job_execution_framework.domain.retries import Retries
from job_execution_framework.domain.script import LibraryScript, Script
from tests.support.job_story import Story
from tests.unit.operator.kube.status.test_simulation import through_status

BROKE = Cause("Exception", "it broke")


@pytest.mark.parametrize(("between", "seconds"), [(0.039, 0.018), (60, 4), (1, 1.25), (0, 0)])
def test_what_a_session_measured_comes_back(between: float, seconds: float) -> None:
    story = Story.of(Script("bake", LibraryScript("bake"), retries=Retries(limit=3)))
    story.opens("main-1", "bake")
    for _ in range(2):
        story.starts("bake")
        story.at += between
        story.breaks("bake", BROKE, seconds)

    row = through_status(story.job).rows["bake"]
    assert [one.seconds for one in (*row.earlier, row.latest)] == [seconds] * 2


def test_nothing_is_kept_where_the_times_say_it() -> None:
    story = Story.of(Script("bake", LibraryScript("bake")))
    story.opens("main-1", "bake")
    story.succeeds("bake", 4)
    (row,) = document_of(status_of(story.job, 1, EnsoJobStatus()))["scripts"]
    assert "seconds" not in row
