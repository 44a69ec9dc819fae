"""A port under attack: many connections, slow connections, and bytes that are not HTTP."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.responses import StreamingResponse
from starlette.types import ASGIApp

from enso_operator.http_api.app import create_app
from enso_operator.http_api.auth.viewer import Everybody, Viewers
from enso_operator.http_api.memory_backend import EmbeddedJobs
from enso_operator.serving import connection
from enso_operator.serving.server import Complaints, listen, server_of

pytestmark = pytest.mark.anyio
MOST = 5
PATIENCE = 20.0
ASK = b"GET /list-jobs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
POST = b"POST /add-job HTTP/1.1\r\nHost: localhost\r\n"
POST_JSON = POST + b"Content-Type: application/json\r\n"


@dataclass
class Port:
    """A port of the gateway."""

    number: int
    idle: list[asyncio.StreamReader] = field(default_factory=list[asyncio.StreamReader])
    _kept: list[asyncio.StreamWriter] = field(default_factory=list[asyncio.StreamWriter])

    async def connect(self, sent: bytes = b"") -> asyncio.StreamReader:
        """Open a connection, send this, and leave it open."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.number)
        self._kept.append(writer)
        writer.write(sent)
        return reader

    async def told(self, sent: bytes) -> tuple[bytes, bytes]:
        """Return the status and the body that are answered, until the other side hangs up."""
        answer = await asyncio.wait_for((await self.connect(sent)).read(), PATIENCE)
        head, _, body = answer.partition(b"\r\n\r\n")
        return head.partition(b" ")[2][:3], body

    def close(self) -> None:
        for writer in self._kept:
            writer.close()


@asynccontextmanager
async def served(
    most: int = MOST, app: Callable[[Viewers], ASGIApp] = create_app
) -> AsyncGenerator[Port]:
    async with EmbeddedJobs() as jobs:
        listener = listen("127.0.0.1", 0)
        server = server_of(app(Everybody(jobs)), most)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        port = Port(listener.getsockname()[1])
        try:
            yield port
        finally:
            port.close()
            server.should_exit = True
            await asyncio.wait_for(serving, PATIENCE)


@pytest.mark.parametrize("sent", [b"", b"GET /list-jobs HTTP/1.1\r\nHost: loc", POST])
async def test_many_that_wait_give_way_to_one_that_asks(sent: bytes) -> None:
    async with served() as port:
        waiting = [await port.connect(sent) for _ in range(MOST * 4)]
        for _ in range(MOST):
            assert await port.told(ASK) == (b"200", b"[]\n")
        ended = await asyncio.wait_for(asyncio.gather(*map(ends, waiting[:MOST])), PATIENCE)
    assert ended == [True] * MOST  # those that have waited longest


async def ends(reader: asyncio.StreamReader) -> bool:
    try:
        return await reader.read() == b""
    except ConnectionError:
        return True


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        (b"", None),
        (b"GET /list-jobs HT", None),
        (POST_JSON + b"Content-Length: 9\r\n\r\n{", b"408"),
        (POST_JSON + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{", b"408"),
    ],
)
async def test_a_request_that_does_not_arrive_is_given_up(
    monkeypatch: pytest.MonkeyPatch, sent: bytes, says: bytes | None
) -> None:
    monkeypatch.setattr(connection, "ARRIVE_SECONDS", 0.2)
    async with served() as port:
        status, body = await port.told(sent)
        assert await port.told(ASK) == (b"200", b"[]\n")
    if says is None:
        assert (status, body) == (b"", b"")
    else:
        assert status == says
        assert json.loads(body) == {"error": "the request did not arrive within 0.2 s"}


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"Content-Type: text/plain\r\nContent-Length: 1000000\r\n\r\n", b"415"),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"415"),
        (b"Content-Type: application/json\r\nContent-Length: 2000000\r\n\r\n", b"413"),
    ],
)
async def test_a_body_that_is_refused_anyway_is_not_waited_for(head: bytes, status: bytes) -> None:
    async with served() as port:
        reader = await port.connect(POST + head)
        answer = await asyncio.wait_for(reader.readuntil(b"}"), PATIENCE)
    assert answer.split(b" ")[1] == status


@pytest.mark.parametrize(
    "sent",
    [
        b"hello\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 3_000,
    ],
)
async def test_what_is_no_http_is_refused_as_all_else(sent: bytes) -> None:
    async with served() as port:
        status, body = await port.told(sent)
    assert status == b"400"
    assert json.loads(body) == {"error": "what was sent is no HTTP request that can be read"}


async def test_head_is_answered_as_get_without_a_body() -> None:
    async with served() as port:
        assert await port.told(ASK.replace(b"GET", b"HEAD")) == (b"200", b"")


async def test_that_nobody_can_be_let_in_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    told, others = Complaints(), list[dict[str, Any]]()
    loop = asyncio.get_running_loop()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "default_exception_handler", others.append)
        for _ in range(100):
            message, error = "socket.accept() out of system resource", OSError(24, "too many")
            told(loop, {"message": message, "exception": error})
        told(loop, {"message": "Task was destroyed but it is pending!"})
    assert caplog.messages == ["new connections cannot be taken: [Errno 24] too many"]
    assert len(others) == 1


def test_as_many_files_may_be_open_as_are_allowed() -> None:
    code = (
        "import resource\n"
        "from enso_operator.serving.server import raise_file_limit\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (100, 300))\n"
        "raise_file_limit()\n"
        "print(resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout == "(300, 300)\n"


async def test_a_reader_who_takes_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "TAKE_SECONDS", 0.2)
    has_ended = asyncio.Event()

    async def endless() -> AsyncGenerator[bytes]:
        try:
            while True:
                yield b"x" * 65536
                await asyncio.sleep(0)
        finally:
            has_ended.set()

    async with served(app=lambda _: StreamingResponse(endless())) as port:
        reader = await port.connect(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert await reader.readexactly(8) == b"HTTP/1.1"
        async with asyncio.timeout(PATIENCE):
            await has_ended.wait()
