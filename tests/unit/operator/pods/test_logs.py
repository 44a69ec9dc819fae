"""A followed log whose other end says nothing any more, or nothing at all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from kubernetes.client import Configuration

from enso_operator.adapters.pods import logs
from enso_operator.adapters.pods.logs import NoLog, PodLogs
from job_execution_framework.domain.errors import Unavailable

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def follow(handler: Handler) -> list[bytes]:
    """Return the lines of a log that such a server tells."""

    async def read() -> list[bytes]:
        server = web.Application()
        server.router.add_get("/api/v1/namespaces/shows/pods/shot/log", handler)
        runner = web.AppRunner(server, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        configuration = Configuration()
        configuration.host = f"http://127.0.0.1:{runner.addresses[0][1]}"
        pod_logs, lines = PodLogs(configuration), list[bytes]()
        try:
            async with asyncio.timeout(20):
                async for line in pod_logs.follow("shows", "shot", "records"):
                    lines.append(line)
        finally:
            await pod_logs.close()
            await runner.cleanup()
        return lines

    return asyncio.run(read())


def test_lines_come_whole_and_what_is_no_line_yet_does_not_come() -> None:
    async def tells(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        for piece in (b"one\ntw", b"o\n", b"thr"):
            await answer.write(piece)
        return answer

    assert follow(tells) == [b"one", b"two"]


def test_a_stream_that_falls_silent_is_taken_for_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "SILENCE_SECONDS", 0.2)

    async def falls_silent(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        await answer.write(b"one\n")
        await asyncio.Event().wait()
        return answer

    with pytest.raises(Unavailable, match="cannot be read") as caught:
        follow(falls_silent)
    assert not isinstance(caught.value, NoLog)


@pytest.mark.parametrize(("code", "kind"), [(400, NoLog), (404, NoLog), (503, Unavailable)])
def test_where_there_is_no_log_is_told_from_where_nobody_answers(
    code: int, kind: type[Unavailable]
) -> None:
    async def refuses(_: web.Request) -> web.StreamResponse:
        return web.Response(status=code)

    with pytest.raises(Unavailable) as caught:
        follow(refuses)
    assert type(caught.value) is kind
