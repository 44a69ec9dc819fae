"""What stands before the routes: who may ask, how much, and how a refusal looks.

There is no authentication: whoever reaches the port may use the API. A browser on the same machine
reaches it too, for any page that it shows; it is kept out by the Host header, which betrays a name
that was bound to 127.0.0.1 afterwards (DNS rebinding), and by the content type, which no page may
send to another site without asking first (CSRF).

Starlette and FastAPI have checks of these kinds. Ours stay where theirs answer otherwise: what is
over `max_body_size`, and a host that TrustedHostMiddleware does not know, get a plain text instead
of a sentence in JSON (and 400 instead of 421), and a wrong content type gets 422 instead of 415.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from enso_operator.manifests.yaml_reader import DocumentError, unique
from job_execution_framework.domain.values import TOO_DEEP
from job_execution_framework.service_layer import bounded_json

LARGEST_BODY_BYTES = 1024 * 1024
LARGE_BODY_BYTES = 64 * 1024
LARGE_BODIES_AT_ONCE = 2
"""Bodies above that size, or of unknown size, that are read and worked on at the same time."""
TURN_SECONDS = 30.0
"""How long a large body may wait for its turn."""
LONGEST_LINE = 200
"""Characters of a document that fit on one line."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


class Answer(JSONResponse):
    """JSON that people read too: indented where it is long, with a newline at its end."""

    def render(self, content: object) -> bytes:
        """Return the document. A lone surrogate becomes an escape, which is JSON again."""
        text = json.dumps(content, ensure_ascii=False)
        if len(text) > LONGEST_LINE:
            text = json.dumps(content, ensure_ascii=False, indent=2)
        return text.encode("utf-8", "backslashreplace") + b"\n"


def refusal(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Return a refusal, in the one shape that all of them have."""
    return Answer({"error": sentence}, status, headers)


class Guard:
    """ASGI middleware: refuses foreign hosts, and answers HEAD as GET, whose body nobody sends."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str] | None) -> None:
        """`hosts` are the names under which the server may be asked; None means any."""
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a refusal, or hand the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        await (self._refused(Headers(scope=scope)) or self._app)(scope, receive, send)

    def _refused(self, headers: Headers) -> Answer | None:
        host = headers.get("host", "")
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        if self._hosts is None or name.lower() in self._hosts:
            return None
        return refusal(
            421,
            "the Host header names another machine: ask this server as localhost or 127.0.0.1, "
            "or start it with --host to serve others",
        )


class StrictRequest(Request):
    """A request whose body is bounded, and read as `enso run` reads a file: no key twice."""

    @property
    def length(self) -> float:
        """How large its body says to be; one that does not say it may have any size."""
        length = self.headers.get("content-length", "")
        return int(length) if length.isdigit() else math.inf

    def check(self) -> None:
        """Raise HTTPException where the body need not be read to be refused."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != Answer.media_type:
            sentence = "the body must be JSON: send the header 'Content-Type: application/json'"
            raise HTTPException(415, sentence)
        if LARGEST_BODY_BYTES < self.length < math.inf:
            raise HTTPException(413, _TOO_LARGE)

    async def stream(self) -> AsyncGenerator[bytes]:
        """Yield the body as it comes. Raises HTTPException where it becomes too large."""
        size = 0
        async for part in super().stream():
            size += len(part)
            if size > LARGEST_BODY_BYTES:
                raise HTTPException(413, _TOO_LARGE)
            yield part

    async def json(self) -> object:
        """Return the body. Raises JSONDecodeError, and HTTPException with a sentence."""
        try:
            return bounded_json.loads(await self.body(), object_pairs_hook=unique)
        except DocumentError as error:
            raise HTTPException(422, f"the body: {error}") from None
        except bounded_json.TooDeep:
            raise HTTPException(422, f"the body {TOO_DEEP}") from None


class StrictRoute(APIRoute):
    """A route whose bodies are read strictly, and of the large ones only a few at once."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers."""
        answer = super().get_route_handler()

        async def answer_strictly(request: Request) -> Response:
            strict = StrictRequest(request.scope, request.receive)
            if self.body_field is None:
                return await answer(strict)
            strict.check()
            if strict.length <= LARGE_BODY_BYTES:
                return await answer(strict)
            async with _turn(request.app.state.large_bodies):
                return await answer(strict)

        return answer_strictly


@asynccontextmanager
async def _turn(turns: asyncio.Semaphore) -> AsyncGenerator[None]:
    try:
        await asyncio.wait_for(turns.acquire(), TURN_SECONDS)
    except TimeoutError:
        raise HTTPException(503, "too many large bodies come at once: try again later") from None
    try:
        yield
    finally:
        turns.release()


_TOO_LARGE = f"the body is larger than {LARGEST_BODY_BYTES} bytes"
