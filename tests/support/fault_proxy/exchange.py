"""One call through the proxy, and the steps that a fault can take with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TypeVar

from aiohttp import ClientConnectorError, ClientError, ClientResponse
from aiohttp.web import BaseRequest, Response, StreamResponse

from tests.support.fault_proxy.book import Book
from tests.support.fault_proxy.calls import Call
from tests.support.fault_proxy.connection import reset
from tests.support.fault_proxy.upstream import Upstream, headers_of

T = TypeVar("T")


class CallerLeft(Exception):
    """The caller closed its connection before it had the whole answer."""


class Exchange:
    """One call. It ends once: with the server's answer, another answer, or a reset."""

    def __init__(self, request: BaseRequest, call: Call, upstream: Upstream, book: Book) -> None:
        self.call = call
        self.over = False
        self.silent = False
        """Whether the stream passes nothing on any more, not even its end."""
        self.response: StreamResponse = Response()
        """What the caller is given; nobody gets this one, as it stays where it was dropped."""
        self._request, self._upstream, self._book = request, upstream, book

    async def act(self, action: Callable[[], object]) -> None:
        """Run a test's action; keep its error, as the caller may have left by then."""

        def acting() -> None:
            try:
                action()
            except BaseException as error:  # noqa: BLE001  # pytest's own are no Exceptions
                self._book.fail(error)

        await asyncio.to_thread(acting)

    async def complete(self) -> None:
        """Send the call and read the answer (of a stream: its headers); the caller gets nothing."""
        async with self._asked() as response:
            if not self.call.is_stream:
                await response.read()

    async def pass_on(self) -> None:
        """Give the caller the server's answer, piece by piece as it comes."""
        self.over = True
        async with self._asked() as response:
            head = StreamResponse(
                status=response.status, reason=response.reason, headers=headers_of(response)
            )
            await self._begin(head)
            self._becomes(replace(self.call, passed_on=self.call.is_stream))
            await self._pass_on_the_rest(response)
        await _to_caller(self.response.write_eof())
        self._becomes(replace(self.call, passed_on=True))

    async def reply(self, code: int, headers: Mapping[str, str], body: bytes) -> None:
        """Give the caller this answer, as JSON."""
        self.over = True
        named = {**headers, "Content-Type": "application/json"}
        await self._begin(Response(status=code, headers=named, body=body))
        await _to_caller(self.response.write_eof())

    def drop(self) -> None:
        """Reset the caller's connection."""
        self.over = True
        if self._request.transport is not None:
            reset(self._request.transport)

    def close(self) -> None:
        """Mark the call as ended."""
        self._becomes(replace(self.call, done=True))

    async def _pass_on_the_rest(self, response: ClientResponse) -> None:
        try:
            async for piece in response.content.iter_any():
                if not self.silent:
                    await _to_caller(self.response.write(piece))
        except ClientError:
            if not self.silent:
                raise
        if self.silent:
            await asyncio.Event().wait()  # until the caller leaves, or the proxy ends

    async def _begin(self, response: StreamResponse) -> None:
        self.response = response
        await _to_caller(response.prepare(self._request))
        self._becomes(replace(self.call, told=response.status))

    @asynccontextmanager
    async def _asked(self) -> AsyncGenerator[ClientResponse]:
        request = self._request
        self._becomes(replace(self.call, reached=True))
        try:
            async with self._upstream.ask(
                request.method, request.raw_path, request.headers, self.call.body
            ) as response:
                self._becomes(replace(self.call, code=response.status))
                yield response
        except ClientError as error:
            self._becomes(
                replace(
                    self.call,
                    reached=not isinstance(error, ClientConnectorError),
                    error=repr(error),
                )
            )
            raise

    def _becomes(self, call: Call) -> None:
        self.call = call
        self._book.update(call)


async def _to_caller(sending: Awaitable[T]) -> T:
    try:
        return await sending
    except ConnectionError as error:
        raise CallerLeft from error
