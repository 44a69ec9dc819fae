"""Kubernetes Events are posted over connections that are kept, whatever a server answers."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from kubernetes.client import Configuration

from enso_operator.kube.client import Forbidden, Taken
from enso_operator.kube.posts import ApiPosts
from job_execution_framework.domain.errors import NoAnswer, Unavailable
from tests.support.eventually import until_async

pytestmark = pytest.mark.anyio
CREATED = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"
TORN = "a\r\nX-Other: b"
TAKEN = b'{"reason": "AlreadyExists", "message": "it is there"}'
TURNS = 10
"""In so many turns of the event loop the other side, which has the same, sees what was closed."""
PATH = "/api/v1/namespaces/shows/events"


@dataclass
class Server:
    """Answers request after request; None closes the connection instead."""

    answers: list[bytes | None]
    closes: bool = False
    """Whether it closes each connection as soon as it has answered."""
    heads: list[str] = field(default_factory=list[str])
    bodies: list[bytes] = field(default_factory=list[bytes])
    connections: int = 0
    closed: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await self._answer(reader, writer) and not self.closes:
                pass
        except asyncio.IncompleteReadError:
            pass
        writer.close()
        for _ in range(TURNS):
            await asyncio.sleep(0)
        self.closed += 1

    async def has_closed_all(self) -> bool:
        return self.closed == self.connections

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heads.append(head)
        lengths = [line for line in head.splitlines() if line.startswith("Content-Length: ")]
        self.bodies.append(await reader.readexactly(int(lengths[0].split(": ")[1])))
        answer = self.answers.pop(0) if self.answers else CREATED
        writer.write(answer or b"")
        return answer is not None


@asynccontextmanager
async def posting(
    server: Server, path: str = "", token: str = "", **fields: str
) -> AsyncGenerator[ApiPosts]:
    """Yield what posts to the server, which may stand behind a proxy that it is itself."""
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    configuration = Configuration()
    configuration.host, configuration.no_proxy = f"http://127.0.0.1:{port}{path}", None
    configuration.api_key = {"BearerToken": token} if token else {}
    for name, value in fields.items():
        setattr(configuration, name, value.replace("PORT", str(port)))
    posts = ApiPosts(configuration)
    try:
        yield posts
    finally:
        await posts.close()
        listening.close()
        await until_async(server.has_closed_all)


async def post(posts: ApiPosts, times: int = 1) -> None:
    for _ in range(times):
        await posts.create(PATH, {"reason": "ScriptSucceeded"})


async def test_one_connection_serves_one_request_after_the_other() -> None:
    server = Server([])
    async with posting(server, "/k8s/clusters/c-1/") as posts:
        await post(posts, 3)
        await asyncio.gather(*(post(posts) for _ in range(2)))
        await post(posts, 2)
    assert server.connections == 2
    assert server.bodies == [b'{"reason": "ScriptSucceeded"}'] * 7
    assert {head.splitlines()[0] for head in server.heads} == {
        f"POST /k8s/clusters/c-1{PATH} HTTP/1.1"
    }
    assert all("\r\nContent-Type: application/json\r\n" in head for head in server.heads)


@pytest.mark.parametrize("says", [b"", b"Connection: close\r\n"])
async def test_what_the_server_closed_is_not_used_again(says: bytes) -> None:
    server = Server([CREATED.replace(b"\r\n\r\n", b"\r\n" + says + b"\r\n")] * 3, closes=True)
    async with posting(server) as posts:
        for number in range(1, 4):
            await post(posts)
            await until_async(server.has_closed_all)
            assert server.connections == number


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 409 Conflict\r\ncontent-length: %d\r\n\r\n%s" % (len(TAKEN), TAKEN),
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 409 Conflict\r\nContent-Length: %d\r\n\r\n%s"
        % (len(TAKEN), TAKEN),
        b"HTTP/1.1 409 Conflict\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"A;some=thing\r\n%s\r\n%x\r\n%s\r\n0\r\nTrailer: of it\r\n\r\n"
        % (TAKEN[:10], len(TAKEN) - 10, TAKEN[10:]),
    ],
)
async def test_an_answer_is_read_as_it_was_sent(answer: bytes) -> None:
    server = Server([answer])
    async with posting(server) as posts:
        with pytest.raises(Taken, match=r"^it is there$"):
            await post(posts)
        await post(posts)
    assert server.connections == 1


async def test_an_answer_without_a_length_ends_with_its_connection() -> None:
    server = Server([b"HTTP/1.1 409 Conflict\r\n\r\n" + TAKEN], closes=True)
    async with posting(server) as posts:
        with pytest.raises(Taken, match=r"^it is there$"):
            await post(posts)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        b"",
        b"HTTP/1.1 201 Cre",
        b"HTTP/1.1 201 Created\r\nContent-Length: 3\r\n\r\n{}",
        b"HTTP/1.1 201 Created\r\nContent-Length: two\r\n\r\n{}",
        b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\nlong\r\n",
        b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        b"HTTP/1.1 2xx Created\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 201 Created\r\n" + b"X: y\r\n" * 20_000,
    ],
)
async def test_what_is_no_answer_is_asked_for_again_over_another_connection(
    answer: bytes | None,
) -> None:
    server = Server([answer], closes=True)
    async with posting(server) as posts:
        with pytest.raises(NoAnswer, match=r"^the API server did not answer: "):
            await post(posts)
        await post(posts)
    assert server.connections == 2


async def test_a_server_that_is_not_there_did_not_answer() -> None:
    async with posting(Server([]), host="http://127.0.0.1:1") as posts:
        with pytest.raises(NoAnswer, match=r"^the API server did not answer: "):
            await post(posts)


async def test_a_token_adds_no_line_to_a_request() -> None:
    server = Server([])
    async with posting(server, token=TORN) as posts:
        with pytest.raises(NoAnswer, match="not on one line"):
            await post(posts)
    assert server.heads == []


async def test_a_proxy_is_asked_with_the_credentials_of_its_url() -> None:
    server = Server([])
    proxy = "http://ann:a%20word@127.0.0.1:PORT"
    async with posting(server, host="http://api.studio.example:8080", proxy=proxy) as posts:
        await post(posts, 2)
    lines = server.heads[0].split("\r\n")
    assert lines[0] == f"POST http://api.studio.example:8080{PATH} HTTP/1.1"
    assert lines[1] == "Host: api.studio.example:8080"
    words = base64.b64encode(b"ann:a word").decode()
    assert f"Proxy-Authorization: Basic {words}" in lines
    assert server.connections == 1


async def test_a_proxy_that_refuses_to_connect_is_no_answer() -> None:
    class Refusing(Server):
        async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
            self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
            writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            return False

    server = Refusing([])
    host, proxy = "https://api.studio.example", "http://127.0.0.1:PORT"
    async with posting(server, host=host, proxy=proxy) as posts:
        with pytest.raises(NoAnswer, match="the proxy answered 403"):
            await post(posts)
    assert server.heads[0].startswith("CONNECT api.studio.example:443 HTTP/1.1\r\n")


async def test_credentials_that_are_refused_are_named() -> None:
    said = b'{"message": "who is this?"}'
    server = Server([b"HTTP/1.1 401 No\r\nContent-Length: %d\r\n\r\n%s" % (len(said), said)])
    async with posting(server) as posts:
        with pytest.raises(Forbidden, match=r"\(401\): who is this\?"):
            await post(posts)


async def test_an_answer_without_a_message_is_called_by_its_code() -> None:
    server = Server([b"HTTP/1.1 502 Any\r\nContent-Length: 4\r\n\r\n<p/>"])
    async with posting(server) as posts:
        with pytest.raises(Unavailable, match=r"answered 502: Bad Gateway$"):
            await post(posts)
