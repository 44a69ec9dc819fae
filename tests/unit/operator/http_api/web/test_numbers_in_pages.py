"""What the templates make of numbers: how far a script is within its bar, and proper plurals."""

from __future__ import annotations

import re

from enso_operator.http_api.port import JobSnapshot
from enso_operator.http_api.rows import JobRow, Rows
from enso_operator.http_api.web.rendering import Templates
from enso_operator.http_api.web.static_files import StaticFiles
from enso_operator.http_api.web.views.job_list import job_list
from enso_operator.http_api.web.views.job_page import job_page
from enso_operator.http_api.web.views.parts import parts_of_job
from enso_operator.http_api.web.views.query import Query
from job_execution_framework.domain.progress import Progress
from job_execution_framework.domain.script import LibraryScript, Script
from tests.support.job_story import Story

TEMPLATES = Templates(StaticFiles())


def _part(story: Story, name: str) -> str:
    job = story.job
    page = job_page(JobSnapshot(job.id, str(job.state), None, job), story.at)
    return TEMPLATES.part(parts_of_job(page)[name])


def test_a_bar_that_runs_shows_how_far_its_script_is() -> None:
    story = Story.of(Script("save", LibraryScript("save")))
    story.opens("main-1", "save")
    story.starts("save")
    assert len(_bars(story)) == 1

    story.job.progress = Progress("save", 1, 15.0, "")
    whole, part = _bars(story)
    assert "whole" in whole
    assert 'width="15%"' in part
    assert "whole" not in part


def _bars(story: Story) -> list[str]:
    return re.findall(r'<rect class="bar[^>]*>', _part(story, "script-save"))


def test_one_script_is_no_scripts() -> None:
    one = Story.of(Script("save", LibraryScript("save")))
    assert "of 1 script done" in _part(one, "part-head")
    two = Story.of(*(Script(name, LibraryScript(name)) for name in ("open", "save")))
    assert "of 2 scripts done" in _part(two, "part-head")


def test_a_script_that_was_skipped_fills_no_part_of_the_bar_of_a_job() -> None:
    row = JobRow("one", "", 0, "Failed", done="1/3", skipped=1)
    (line,) = job_list(Rows.of([row]), Query()).lines
    assert (line.done, line.share) == ("0/3, 1 skipped", 0)
