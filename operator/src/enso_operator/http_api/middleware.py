"""Checks of requests before they reach the routes in `app`: hosts, sizes, content types.

With --auth=none whoever can connect to the port may use the API. A browser on the same machine can
connect, too, for any web page that it shows. Two checks refuse such requests. The Host header has
the page's own name, if that name now resolves to 127.0.0.1 (DNS rebinding). And a page may not send
the content type of JSON to another site without a preflight request (CSRF); `auth.origin` has a
check of its own.

Starlette and FastAPI have similar checks, but other responses: a body over `max_body_size`, or a
host that TrustedHostMiddleware does not know, gets plain text instead of a sentence in JSON (and
400 instead of 421), and a wrong content type gets 422 instead of 415.
"""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from typing import Any

from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from enso_operator.http_api.bodies import LARGE_BODY_BYTES, LARGEST_BODY_BYTES, Bodies
from enso_operator.http_api.json_text import LONGEST_LINE, json_text
from enso_operator.manifests.yaml_reader import DocumentError, reject_duplicate_keys
from job_execution_framework.domain.values import TOO_DEEP
from job_execution_framework.service_layer import bounded_json

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


class Answer(JSONResponse):
    """A JSON response that people can read: indented if it is long, with a newline at its end."""

    def render(self, content: object) -> bytes:
        """Return the document."""
        return json_text(content).encode()


def refusal(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Return an error response; all of them have this format."""
    return Answer({"error": sentence}, status, headers)


def host_in(headers: Headers) -> str:
    """Return the name, or the address, in the header Host, without the port."""
    host = headers.get("host", "").lower()
    name, _, port = host.rpartition(":")
    return name if port.isdigit() else host


class Guard:
    """ASGI middleware: refuses unknown hosts; handles HEAD as GET, without sending the body."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str] | None) -> None:
        """`hosts` are the allowed Host headers; None allows any."""
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send an error response, or pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        await (self._refused(Headers(scope=scope)) or self._app)(scope, receive, send)

    def _refused(self, headers: Headers) -> Answer | None:
        if self._hosts is None or host_in(headers) in self._hosts:
            return None
        return refusal(
            421,
            "the Host header names another machine: ask this server as localhost or 127.0.0.1, "
            "or start it with --auth=kubernetes to serve others",
        )


class StrictRequest(Request):
    """A request whose body is limited in size, and parsed strictly: no duplicate keys."""

    take: Callable[[int], None] | None = None
    """Is told of each part of the body how large it is."""

    @property
    def length(self) -> float:
        """The Content-Length; infinite if there is none."""
        length = self.headers.get("content-length", "")
        return int(length) if length.isdigit() else math.inf

    def check(self) -> None:
        """Raise HTTPException if the headers are reason enough to refuse the request."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != Answer.media_type:
            sentence = "the body must be JSON: send the header 'Content-Type: application/json'"
            raise HTTPException(415, sentence)
        if LARGEST_BODY_BYTES < self.length < math.inf:
            raise HTTPException(413, _TOO_LARGE)

    async def stream(self) -> AsyncGenerator[bytes]:
        """Yield the body in chunks. Raises HTTPException if it becomes too large."""
        size = 0
        async for chunk in super().stream():
            size += len(chunk)
            if size > LARGEST_BODY_BYTES:
                raise HTTPException(413, _TOO_LARGE)
            if self.take:
                self.take(len(chunk))
            yield chunk

    async def json(self) -> object:
        """Return the parsed body. Raises JSONDecodeError, and HTTPException with a sentence."""
        try:
            return bounded_json.loads(await self.body(), object_pairs_hook=reject_duplicate_keys)
        except DocumentError as error:
            raise HTTPException(422, f"the body: {error}") from None
        except bounded_json.TooDeep:
            raise HTTPException(422, f"the body {TOO_DEEP}") from None


class StrictRoute(APIRoute):
    """A route that parses bodies strictly, and handles only a few large ones at the same time."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of the route."""
        handle = super().get_route_handler()

        async def handle_strictly(request: Request) -> Response:
            strict = StrictRequest(request.scope, request.receive)
            for name in request.query_params:
                raise HTTPException(422, _no_query(name, request.state.viewer.jobs.namespace))
            if self.body_field is None:
                return await handle(strict)
            strict.check()
            if strict.length <= LARGE_BODY_BYTES:
                return await handle(strict)
            bodies: Bodies = request.app.state.bodies
            async with bodies.arriving(request.state.viewer.key) as strict.take:
                try:
                    size = len(await strict.body())
                except ClientDisconnect:
                    raise HTTPException(400) from None
                async with bodies.turn(size):
                    return await handle(strict)

        return handle_strictly


_TOO_LARGE = f"the body is larger than {LARGEST_BODY_BYTES} bytes"


def _no_query(name: str, namespace: str) -> str:
    """Say that no path of the API takes a query; `namespace` is "" where there is none."""
    sentence = f"{name[:LONGEST_LINE]!r} is no parameter of this path: it takes none after a '?'"
    if name == "namespace" and namespace:
        return f"{sentence}; the jobs are those of {namespace!r}, with which the server was started"
    return sentence
