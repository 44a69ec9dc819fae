"""A followed log whose server stops sending, or never sends anything."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from kubernetes.client import Configuration

from enso_operator.sessions.pods import logs
from enso_operator.sessions.pods.logs import PIECE_BYTES, NoLog, PodLogs
from job_execution_framework.domain.errors import Unavailable
from job_execution_framework.service_layer.record_line import BEGINS, LONGEST_BYTES

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def follow(
    handler: Handler, configured: Callable[[Configuration], None] = lambda _: None
) -> list[bytes]:
    """Return the lines of a log that such a server tells, with this in the configuration."""

    async def read() -> list[bytes]:
        server = web.Application()
        server.router.add_get("/api/v1/namespaces/shows/pods/shot/log", handler)
        runner = web.AppRunner(server, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        configuration = Configuration()
        configuration.host = f"http://127.0.0.1:{runner.addresses[0][1]}"
        configured(configuration)
        pod_logs, lines = PodLogs(configuration), list[bytes]()
        try:
            async with asyncio.timeout(20):
                async for together in pod_logs.follow("shows", "shot", "records"):
                    lines += together
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


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        *((code, NoLog) for code in (400, 404)),
        *((code, Unavailable) for code in (204, 401, 403, 429, 500, 503)),
    ],
)
def test_where_there_is_no_log_is_told_from_where_nobody_answers(
    code: int, kind: type[Unavailable]
) -> None:
    async def refuses(_: web.Request) -> web.StreamResponse:
        return web.json_response({"message": "pods is forbidden"}, status=code)

    with pytest.raises(Unavailable) as caught:
        follow(refuses)
    assert type(caught.value) is kind
    assert str(code) in str(caught.value)
    assert code == 204 or "pods is forbidden" in str(caught.value)


def test_of_a_line_that_never_ends_little_is_held() -> None:
    async def floods(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        for _ in range(100):
            await answer.write(BEGINS + b"1" * 200_000)
        await answer.write(b"\nafter\n")
        return answer

    *parts, last = follow(floods)
    assert last == b"after"
    assert all(LONGEST_BYTES < len(part) <= LONGEST_BYTES + PIECE_BYTES for part in parts)
    assert sum(map(len, parts)) > 99 * 200_000


def test_a_token_that_a_program_brings_holds_up_nobody() -> None:
    threads: list[threading.Thread] = []

    def renew(configuration: Configuration) -> None:
        threads.append(threading.current_thread())
        configuration.api_key["BearerToken"] = "fresh"
        configuration.api_key_prefix["BearerToken"] = "Bearer"

    async def tells(request: web.Request) -> web.StreamResponse:
        return web.Response(text=f"{request.headers['Authorization']}\n")

    def asks(configuration: Configuration) -> None:
        vars(configuration)["refresh_api_key_hook"] = renew  # untyped in the client

    assert follow(tells, asks) == [b"Bearer fresh"]
    assert threads
    assert threading.main_thread() not in threads


def test_to_import_it_changes_nothing_in_others() -> None:
    program = (
        "from asyncio.sslproto import SSLProtocol\n"
        "before = SSLProtocol.max_size\n"
        "from enso_operator.sessions.pods import logs\n"
        "assert SSLProtocol.max_size == before\n"
        "logs.buffer_little_of_tls()\n"
        "assert SSLProtocol.max_size == 16 * 1024\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
