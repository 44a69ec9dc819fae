"""The proxy's server, in its own thread: receives and numbers calls and applies the rules."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from aiohttp import ClientError
from aiohttp.web import BaseRequest, RequestPayloadError, Response, Server, StreamResponse

from tests.support.fault_proxy.book import Book
from tests.support.fault_proxy.connection import Connection, reset
from tests.support.fault_proxy.exchange import CallerLeft, Exchange
from tests.support.fault_proxy.rules import Filter, Rule
from tests.support.fault_proxy.upstream import Upstream

ACCEPTING_ROUNDS = 4
"""Rounds of the event loop until what was accepted is a connection of the server."""


class Serving:
    """A server on a port of 127.0.0.1."""

    def __init__(self, kubeconfig: Path, book: Book) -> None:
        self.rules: list[Rule] = []
        self.silences: list[Filter] = []
        self._book = book
        self._upstream = Upstream(kubeconfig)
        self._open: dict[asyncio.Task[None], Exchange] = {}
        # Without the cancellation nobody would notice that the caller of a quiet watch has left.
        self._server = Server(self._handle, handler_cancellation=True)

    async def begin(self) -> int:
        """Open the port, and return it."""
        self._place = _socket(0)
        await self._listen()
        return self._port

    async def end(self) -> None:
        """Reset every connection, and wait until their tasks have ended."""
        await self.go_away()
        self._place.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._upstream.close()

    async def go_away(self) -> None:
        """Reset open connections and refuse new ones."""
        for listener in self._listener.sockets:
            asyncio.get_running_loop().remove_reader(listener.fileno())
        # A connection that was accepted a moment ago would lose its server, and never be closed.
        for _ in range(ACCEPTING_ROUNDS):
            await asyncio.sleep(0)
        self._listener.close()
        for connection in self._server.connections:
            if connection.transport is not None:
                reset(connection.transport)

    async def come_back(self) -> None:
        """Accept connections again, on the same port."""
        if not self._listener.is_serving():
            await self._listen()

    def cut(self, chosen: Filter) -> None:
        """Reset open streams."""
        for stream in self._streams(chosen):
            stream.drop()

    def silence(self, chosen: Filter) -> None:
        """Make streams silent, now and until further notice."""
        self.silences.append(chosen)
        for stream in self._streams(chosen):
            stream.silent = True

    @property
    def _port(self) -> int:
        port: int = self._place.getsockname()[1]
        return port

    async def _listen(self) -> None:
        self._listener = await asyncio.get_running_loop().create_server(
            lambda: Connection(self._server, self._book), sock=_socket(self._port)
        )

    def _streams(self, chosen: Filter) -> list[Exchange]:
        exchanges = list(self._open.values())
        return [
            exchange for exchange in exchanges if exchange.call.is_stream and chosen(exchange.call)
        ]

    async def _handle(self, request: BaseRequest) -> StreamResponse:
        body = await self._receive(request)
        if body is None:
            return Response()
        call = self._book.enter(request, body)
        exchange = Exchange(request, call, self._upstream, self._book)
        exchange.silent = call.is_stream and any(chosen(call) for chosen in self.silences)
        # Each rule counts each call, also those that an earlier rule will end.
        rules = [rule for rule in self.rules if rule.selects(call)]
        task = asyncio.create_task(self._carry(exchange, rules))
        self._open[task] = exchange
        task.add_done_callback(self._open.pop)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            # The caller left. Its request still reaches the server; only streams end.
            if call.is_stream:
                task.cancel()
            raise
        return exchange.response

    async def _receive(self, request: BaseRequest) -> bytes | None:
        """Return the whole body; None if the caller left in the middle of it."""
        body = bytearray()
        try:
            async for piece in request.content.iter_any():
                body += piece
        except (ConnectionError, RequestPayloadError):
            return None
        return bytes(body)

    async def _carry(self, exchange: Exchange, rules: list[Rule]) -> None:
        """Apply the rules to a call; unless a fault has ended it, pass it to the server."""
        try:
            for rule in rules:
                if not exchange.over and rule.take():
                    await rule.fault(exchange)
            if not exchange.over:
                await exchange.pass_on()
        except CallerLeft:
            pass  # `call.passed_on` and `call.told` show it.
        except ClientError:
            exchange.drop()  # The server closed the connection; `call.error` says how.
        except Exception as error:  # noqa: BLE001  # the test fails with it
            self._book.fail(error)
            exchange.drop()
        finally:
            exchange.close()


def _socket(port: int) -> socket.socket:
    """Bind the port with SO_REUSEPORT, so that this process keeps it while nobody listens."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind(("127.0.0.1", port))
    return listener
