"""An answer ends with its work, its reader, or its server: whatever is first."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message

from enso_operator.http_api.web.readers import until_left
from tests.support.eventually import DEADLINE_SECONDS

pytestmark = pytest.mark.anyio


class Reading:
    """Somebody who reads an answer."""

    def __init__(self) -> None:
        self.has_left, self.is_over = asyncio.Event(), False

    async def receive(self) -> Message:
        await self.has_left.wait()
        return {"type": "http.disconnect"}

    async def endless(self, then: asyncio.Event) -> None:
        """Work for ever; say so first."""
        try:
            then.set()
            await asyncio.Event().wait()
        finally:
            self.is_over = True


async def test_a_reader_who_leaves_ends_the_work() -> None:
    reading = Reading()
    async with asyncio.timeout(DEADLINE_SECONDS):
        waits = await until_left(reading.receive, reading.endless(reading.has_left))
    assert (waits, reading.is_over) == (False, True)


async def test_a_server_that_ends_says_that_the_reader_still_waits() -> None:
    reading, ends = Reading(), asyncio.Event()
    async with asyncio.timeout(DEADLINE_SECONDS):
        waits = await until_left(reading.receive, reading.endless(ends), ends)
    assert (waits, reading.is_over) == (True, True)


async def test_who_has_the_whole_answer_when_the_server_ends_waits_for_nothing() -> None:
    ends = asyncio.Event()

    async def work() -> None:
        ends.set()

    assert not await until_left(Reading().receive, work(), ends)


async def test_an_error_of_the_work_is_raised() -> None:
    async def work() -> None:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        await until_left(Reading().receive, work(), asyncio.Event())
