"""Logs that nobody needs any more: what becomes of their connections."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest
from aiohttp import web

from enso_operator.sessions.pods import log_ends
from enso_operator.sessions.pods.logs import PodLogs
from tests.support.answering import answering

pytestmark = pytest.mark.anyio
DEADLINE_SECONDS = 30


async def read_first_line(logs: PodLogs) -> None:
    """Read a log as a follower does, that is stopped while it waits for more."""
    has_line = asyncio.Event()

    async def follow() -> None:
        async with aclosing(logs.follow("shows", "shot", "records")) as following:
            async for lines in following:
                assert lines == [b"one"]
                has_line.set()

    task = asyncio.create_task(follow())
    await has_line.wait()
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])


def port_of(request: web.Request) -> int:
    assert request.transport is not None
    return int(request.transport.get_extra_info("peername")[1])


async def until_closed(request: web.Request) -> None:
    while request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110  # aiohttp tells nobody
        await asyncio.sleep(0.01)


async def test_the_next_log_begins_on_the_connection_of_one_that_has_ended() -> None:
    ports = list[int]()

    async def tells(request: web.Request) -> web.StreamResponse:
        ports.append(port_of(request))
        answer = web.StreamResponse()
        await answer.prepare(request)
        await answer.write(b"one\n")
        await asyncio.sleep(0.05)  # its container ends a little later
        return answer

    async with answering(tells) as configuration, asyncio.timeout(DEADLINE_SECONDS):
        logs = PodLogs(configuration)
        while len(set(ports)) == len(ports):
            await read_first_line(logs)
            await asyncio.sleep(0.01)
        await logs.close()


@pytest.mark.parametrize("way", ["silent", "floods", "closed"])
async def test_a_log_that_does_not_end_is_closed(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    closed = asyncio.Event()
    monkeypatch.setattr(log_ends, "LONGEST_SECONDS", 0.1 if way == "silent" else 1000.0)

    async def tells(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        await answer.write(b"one\n")
        try:
            while way == "floods":
                await asyncio.sleep(0.01)
                await answer.write(b"x" * log_ends.MOST_BYTES)
            await until_closed(request)
        finally:
            closed.set()
        return answer

    async with answering(tells) as configuration, asyncio.timeout(DEADLINE_SECONDS):
        logs = PodLogs(configuration)
        await read_first_line(logs)
        if way == "closed":
            await logs.close()
        await closed.wait()
        await logs.close()
