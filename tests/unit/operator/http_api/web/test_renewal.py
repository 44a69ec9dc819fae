"""What a page shows is looked at again before it is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from enso_operator.http_api.port import JobSnapshot
from enso_operator.http_api.web.renewal import renewed
from enso_operator.http_api.web.views.job_page import job_page
from enso_operator.http_api.web.views.parts import Parts, parts_of_job
from job_execution_framework.domain import events
from job_execution_framework.domain.script import LibraryScript, Script
from tests.support.job_story import Story

pytestmark = pytest.mark.anyio


async def test_it_comes_with_changes_and_without_them() -> None:
    change = asyncio.Event()
    ended: list[bool] = []

    async def changes() -> AsyncGenerator[None]:
        try:
            yield
            await change.wait()
            yield
        finally:
            ended.append(True)

    waits: list[float | None] = [None, 0.001, 0.001, None]
    async with aclosing(changes()) as source:
        looks = renewed(source, lambda: waits.pop(0))
        await anext(looks)
        await anext(looks)
        await anext(looks)
        change.set()
        await anext(looks)
        assert [one async for one in renewed(source, lambda: None)] == []
    assert ended == [True]


async def test_whoever_leaves_ends_what_is_waited_for() -> None:
    ended: list[bool] = []

    async def changes() -> AsyncGenerator[None]:
        try:
            yield
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    async with aclosing(changes()) as source:
        looks = renewed(source, lambda: 0.001)
        await anext(looks)
        await anext(looks)
        await looks.aclose()
    assert ended == [True]


def _parts(story: Story) -> Parts:
    job = story.job
    return parts_of_job(job_page(JobSnapshot(job.id, str(job.state), None, job), story.at))


async def test_an_axis_is_looked_at_again_when_what_runs_comes_to_its_end() -> None:
    story = Story.of(Script("save", LibraryScript("save")))
    story.opens("main-1", "save")
    story.starts("save")
    story.at += 5
    before = _parts(story)
    until = before["part-axis"].until
    assert until is not None
    assert until > story.at

    story.at = until + 1
    later = _parts(story)
    assert later["part-axis"] != before["part-axis"]
    assert later["part-axis"].until is not None
    assert later["part-axis"].until > story.at

    story.ends("save", 5)
    story.closes()
    story.record(events.JobSucceeded(at=story.at))
    assert _parts(story)["part-axis"].until is None
