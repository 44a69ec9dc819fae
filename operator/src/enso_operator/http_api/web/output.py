"""The output of an attempt: its end on a page, or all of it as plain text.

With `?follow=1` the text goes on for as long as the attempt runs. It is read as fast as its reader
takes it (`serving/connection.py` gives up one who takes nothing). Only so many read at once, as
each of them holds a connection to the API server.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import cast

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from enso_operator.http_api.auth.viewer import Viewer
from enso_operator.http_api.output import last_of
from enso_operator.http_api.port import Busy
from enso_operator.http_api.web.rendering import Templates
from enso_operator.http_api.web.views.output import MOST_BYTES, output_page
from enso_operator.http_api.web.views.query import Query

MOST_READERS = 64


class OutputPages:
    """Answers with the output of one attempt."""

    def __init__(self, templates: Templates) -> None:
        self._templates = templates
        self._readers = 0

    async def show(self, request: Request, viewer: Viewer) -> Response:
        """Show the end of it on a page."""
        self._check_room()
        path = request.path_params
        query = Query(namespace=request.query_params.get("namespace", ""))
        name, script, number = path["name"], path["script"], path["number"]
        snapshot = await viewer.jobs.get(name)
        output = viewer.jobs.output(name, script, number)
        last = await last_of(self._from(b"", output), MOST_BYTES)
        shown = await asyncio.to_thread(
            partial(output_page, snapshot, script, number, last),
            address=query.address(f"{request.url.path}/output"),
            job_address=query.address(f"/jobs/{name}"),
        )
        return await self._templates.page(request, viewer, "output.html", shown)

    async def text(self, request: Request, viewer: Viewer) -> Response:
        """Answer with all of it."""
        self._check_room()
        path = request.path_params
        output = viewer.jobs.output(
            *(path["name"], path["script"], path["number"]),
            is_following=request.query_params.get("follow") == "1",
        )
        first = await anext(output, b"")  # raises where there is none
        return _Output(self._from(first, output), media_type="text/plain; charset=utf-8")

    def _check_room(self) -> None:
        if self._readers >= MOST_READERS:
            raise Busy(f"{self._readers} people read output at this moment: try again later")

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
