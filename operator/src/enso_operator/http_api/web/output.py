"""The output of an attempt as plain text; with `?follow=1` for as long as the attempt runs.

It is read as fast as its reader takes it (`serving/connection.py` gives up one who takes nothing).
Only so many read at once, as each of them holds a connection to the API server.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import cast

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from enso_operator.http_api.auth.viewer import Viewer
from enso_operator.http_api.port import Busy

MOST_READERS = 64


class OutputPages:
    """Answers with the output of one attempt."""

    def __init__(self) -> None:
        self._readers = 0

    async def show(self, request: Request, viewer: Viewer) -> Response:
        """Answer a request for it."""
        path = request.path_params
        if self._readers >= MOST_READERS:
            raise Busy(f"{self._readers} people read output at this moment: try again later")
        output = viewer.jobs.output(
            *(path["name"], path["script"], path["number"]),
            is_following=request.query_params.get("follow") == "1",
        )
        first = await anext(output, b"")  # raises where there is none
        return _Output(self._from(first, output), media_type="text/plain; charset=utf-8")

    async def _from(self, first: bytes, output: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
        self._readers += 1
        try:
            async with aclosing(output) as pieces:
                yield first
                async for piece in pieces:
                    yield piece
        finally:
            self._readers -= 1


class _Output(StreamingResponse):
    """An answer that stops to read where its reader has gone."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        async with aclosing(cast("AsyncGenerator[bytes]", self.body_iterator)):
            await super().__call__(scope, receive, send)
