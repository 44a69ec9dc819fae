"""A connection of HTTP/1.1 to the API server, for requests that are as many as Kubernetes Events.

`posts.py` uses it: a request takes half as much of a processor as with aiohttp, which does more.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

HAPPY_EYEBALLS_SECONDS = 0.25
"""So long the first address of a host has, until the next one is tried, too."""
_PORTS = {"http": 80, "https": 443}
_BODILESS = (204, 304)


class NoHttp(Exception):
    """What came is no answer of HTTP, or what is to be sent is no request."""


@dataclass(frozen=True)
class Server:
    """Where requests go: the API server's URL, perhaps through a proxy's."""

    url: SplitResult
    trust: ssl.SSLContext | None
    proxy: SplitResult | None

    @classmethod
    def at(cls, host: str, trust: ssl.SSLContext | None, proxy: str | None) -> Server:
        """Return the server at the URL `host`; without `trust` it is spoken to in clear."""
        return cls(urlsplit(host), trust, urlsplit(proxy) if proxy else None)

    async def connect(self) -> HttpConnection:
        """Open a connection; raise OSError and NoHttp."""
        if self.proxy is None:
            return HttpConnection(self, *await _open(self.url, self.trust))
        secure = ssl.create_default_context() if self.proxy.scheme == "https" else None
        reader, writer = await _open(self.proxy, secure)
        connection = HttpConnection(self, reader, writer)
        if self.trust is None:
            return connection
        try:
            await connection.ask_for_tunnel()
            await writer.start_tls(self.trust, server_hostname=self.url.hostname)
        except BaseException:
            connection.close()
            raise
        return connection

    @property
    def authority(self) -> str:
        """Host and port."""
        return self.url.netloc.rpartition("@")[2]

    @property
    def proxy_authorization(self) -> dict[str, str]:
        """The header with the credentials in the proxy's URL, if there are any."""
        if self.proxy is None or self.proxy.username is None:
            return {}
        words = f"{unquote(self.proxy.username)}:{unquote(self.proxy.password or '')}"
        return {"Proxy-Authorization": f"Basic {base64.b64encode(words.encode()).decode()}"}


async def _open(
    url: SplitResult, trust: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(
        url.hostname,
        url.port or _PORTS[url.scheme],
        ssl=trust,
        happy_eyeballs_delay=HAPPY_EYEBALLS_SECONDS,
    )


class HttpConnection:
    """One connection, for one request after the other."""

    def __init__(
        self, server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._server, self._reader, self._writer = server, reader, writer
        self._is_kept = True
        self._start = server.url.path.rstrip("/")
        self._headers: dict[str, str] = {}
        if server.proxy and server.trust is None:
            self._start = f"http://{server.authority}{self._start}"
            self._headers = server.proxy_authorization

    @property
    def is_open(self) -> bool:
        """Whether it may be used for one more request."""
        return self._is_kept and not self._reader.at_eof() and not self._writer.is_closing()

    def close(self) -> None:
        """Close it, without a word to the other side."""
        self._is_kept = False
        self._writer.transport.abort()

    async def post(self, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """Return the status of the answer, and its body; raise OSError, EOFError and NoHttp."""
        size = {"Content-Length": str(len(body))}
        self._send("POST", self._start + path, {**self._headers, **headers, **size}, body)
        return await self._answer()

    async def ask_for_tunnel(self) -> None:
        """Have the proxy connect this connection with the server."""
        authority = f"{self._server.url.hostname}:{self._server.url.port or 443}"
        self._send("CONNECT", authority, self._server.proxy_authorization, b"")
        status, _ = await self._head()
        if status // 100 != 2:  # noqa: PLR2004
            raise NoHttp(f"the proxy answered {status}")

    def _send(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> None:
        lines = [f"{name}: {value}" for name, value in headers.items()]
        if not all(map(str.isprintable, lines)):
            raise NoHttp("a header, or the token in it, is not on one line")
        head = [f"{method} {target} HTTP/1.1", f"Host: {self._server.authority}", *lines, "", ""]
        self._writer.write("\r\n".join(head).encode() + body)

    async def _answer(self) -> tuple[int, bytes]:
        status, headers = await self._head()
        while status // 100 == 1:
            status, headers = await self._head()
        if headers.get(b"connection") == b"close":
            self._is_kept = False
        if status in _BODILESS:
            return status, b""
        if b"chunked" in headers.get(b"transfer-encoding", b""):
            return status, await self._chunks()
        if b"content-length" in headers:
            return status, await self._reader.readexactly(_number(headers[b"content-length"], 10))
        self._is_kept = False
        return status, await self._reader.read()

    async def _head(self) -> tuple[int, dict[bytes, bytes]]:
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError as error:
            raise NoHttp("it does not end") from error
        first, *lines = head.split(b"\r\n")
        if not first.startswith(b"HTTP/1.1 "):
            raise NoHttp(repr(first[:64]))
        parts = (line.partition(b":") for line in lines)
        return _number(first[9:12], 10), {name.lower(): text.strip() for name, _, text in parts}

    async def _chunks(self) -> bytes:
        chunks: list[bytes] = []
        while size := _number((await self._reader.readuntil(b"\r\n")).partition(b";")[0], 16):
            chunks.append((await self._reader.readexactly(size + 2))[:-2])
        while await self._reader.readuntil(b"\r\n") != b"\r\n":
            pass  # what stands behind the body
        return b"".join(chunks)


def _number(text: bytes, base: int) -> int:
    try:
        return int(text, base)
    except ValueError as error:
        raise NoHttp(repr(text[:64])) from error
