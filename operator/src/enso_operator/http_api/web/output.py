"""The output of an attempt: its end on a page, or all of it as plain text.

With `?follow=1` the text goes on for as long as the attempt runs. It is read as fast as its reader
takes it (`serving/connection.py` gives up one who takes nothing), and no longer than that one is
there. Only so many read at once, as each of them holds a connection to the API server.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from enso_operator.http_api.auth.viewer import Viewer
from enso_operator.http_api.web.live import Live, Subject, seen_by
from enso_operator.http_api.web.output_stream import AttemptOutput
from enso_operator.http_api.web.readers import Places, until_left
from enso_operator.http_api.web.rendering import Templates
from enso_operator.http_api.web.views.output import Addresses, attempt_state, parts_of_output
from enso_operator.http_api.web.views.parts import Parts
from enso_operator.http_api.web.views.query import Query
from enso_operator.http_api.web.views.seen import Shown

MOST_READERS = 64
"""Who read output at once."""
MOST_OF_ONE = 16
"""How many of them are one caller, where callers are known."""


class OutputPages:
    """Answers with the output of one attempt."""

    def __init__(self, templates: Templates, live: Live) -> None:
        self._templates, self._live = templates, live
        self._places = Places(MOST_READERS, MOST_OF_ONE, "outputs are read")

    async def show(self, request: Request, viewer: Viewer) -> Response:
        """Show the end of it on a page."""
        with self._places.taken(viewer.key):
            shown, _, _ = await _asked_for(request, viewer).look()
        path, namespace = request.url.path, request.query_params.get("namespace", "")
        seen = Shown(parts_of_output(shown)).seen
        stream = Query(namespace=namespace).address(f"{path}/live", seen=seen)
        live = stream if shown.is_running else ""
        return await self._templates.page(request, viewer, "output.html", shown, live=live)

    async def stream(self, request: Request, viewer: Viewer) -> Response:
        """Tell what becomes of the attempt."""
        path, namespace = request.path_params, request.query_params.get("namespace", "")
        name, script, number = path["name"], path["script"], path["number"]
        await viewer.jobs.get(name)  # raises where there is none

        async def look() -> Parts:
            return parts_of_output(attempt_state(await viewer.jobs.get(name), script, number))

        key = (viewer.key, "attempt", namespace, name, script, str(number))
        subject = Subject(key, look, partial(viewer.jobs.changes, name))
        return self._live.stream(subject, seen_by(request))

    async def lines(self, request: Request, viewer: Viewer) -> Response:
        """Answer with the end of it as pages show it, and with more as it comes.

        With `seen` the answer ends at once, and has nothing to show where that is all there is.
        """
        output, seen = _asked_for(request, viewer), request.query_params.get("seen")
        documents = (
            output.documents(self._templates)
            if seen is None
            else output.glance(self._templates, seen)
        )
        return _Output(documents, self._places, viewer.key, "application/x-ndjson")

    async def text(self, request: Request, viewer: Viewer) -> Response:
        """Answer with all of it."""
        path = request.path_params
        output = viewer.jobs.output(
            *(path["name"], path["script"], path["number"]),
            is_following=request.query_params.get("follow") == "1",
        )
        return _Output(output, self._places, viewer.key, "text/plain")


def _asked_for(request: Request, viewer: Viewer) -> AttemptOutput:
    path = request.path_params
    name, script, number = path["name"], path["script"], path["number"]
    query = Query(namespace=request.query_params.get("namespace", ""))
    attempt = f"/jobs/{name}/scripts/{script}/attempts/{number}"
    addresses = Addresses(
        query.address(f"{attempt}/output"),
        query.address(f"{attempt}/lines"),
        query.address(f"/jobs/{name}"),
    )
    return AttemptOutput(viewer.jobs, name, script, number, addresses)


class _Output(Response):
    """An answer that begins with the first output, as only then it is known that there is any."""

    def __init__(
        self, output: AsyncGenerator[bytes], places: Places, key: str, media_type: str
    ) -> None:
        super().__init__(media_type=media_type)
        del self.headers["content-length"]
        self._output, self._places, self._key = output, places, key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, while its reader is there; raise Busy, or why there is none."""
        del scope
        with self._places.taken(self._key):
            await until_left(receive, self._send(send))

    async def _send(self, send: Send) -> None:
        async with aclosing(self._output) as output:
            first = await anext(output, b"")
            headers, kind = self.raw_headers, "http.response.body"
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": kind, "body": first, "more_body": True})
            async for piece in output:
                await send({"type": kind, "body": piece, "more_body": True})
        await send({"type": kind, "body": b""})
