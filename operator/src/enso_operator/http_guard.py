"""What stands before the routes: who may ask, how much, and how a refusal looks.

There is no authentication: whoever reaches the port may use the API. A browser on the same machine
reaches it too, for any page that it shows; it is kept out by the Host header, which betrays a name
that was bound to 127.0.0.1 afterwards (DNS rebinding), and by the content type, which no page may
send to another site without asking first (CSRF).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from enso_operator.documents import DocumentError, unique
from job_execution_framework.domain.values import TOO_DEEP
from job_execution_framework.service_layer import bounded_json

LARGEST_BODY_BYTES = 1024 * 1024
LONGEST_LINE = 200
"""Characters of a document that fit on one line."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


class Answer(Response):
    """JSON that people read too: indented where it is long, with a newline at its end."""

    media_type = "application/json"

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
    """ASGI middleware: refuses foreign hosts and large bodies."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str] | None) -> None:
        """`hosts` are the names under which the server may be asked; None means any."""
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a refusal, or hand the request on with its whole body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refused = self._refused(Headers(scope=scope))
        if refused is None and scope["method"] == "POST":
            try:
                body = await _body(receive)
            except ClientDisconnect:
                return
            if body is None:
                refused = _too_large()
            else:
                receive = _replayed(body, receive)
        await (refused or self._app)(scope, receive, send)

    def _refused(self, headers: Headers) -> Answer | None:
        host = headers.get("host", "")
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        if self._hosts is not None and name.lower() not in self._hosts:
            return refusal(
                421,
                "the Host header names another machine: ask this server as localhost or 127.0.0.1, "
                "or start it with --host to serve others",
            )
        length = headers.get("content-length", "0")
        return _too_large() if length.isdigit() and int(length) > LARGEST_BODY_BYTES else None


class StrictRequest(Request):
    """A request whose body is read as `enso run` reads a file: no key twice, not too deep."""

    async def json(self) -> object:
        """Return the body. Raises JSONDecodeError, and HTTPException with a sentence."""
        try:
            return bounded_json.loads(await self.body(), object_pairs_hook=unique)
        except DocumentError as error:
            raise HTTPException(422, f"the body: {error}") from None
        except bounded_json.TooDeep:
            raise HTTPException(422, f"the body {TOO_DEEP}") from None


class StrictRoute(APIRoute):
    """A route whose requests are read strictly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers."""
        answer = super().get_route_handler()

        async def answer_strictly(request: Request) -> Response:
            return await answer(StrictRequest(request.scope, request.receive))

        return answer_strictly


async def json_only(request: Request) -> None:
    """Refuse other content types than JSON. A dependency of every route that has a body."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != Answer.media_type:
        sentence = "the body must be JSON: send the header 'Content-Type: application/json'"
        raise HTTPException(415, sentence)


def _too_large() -> Answer:
    return refusal(413, f"the body is larger than {LARGEST_BODY_BYTES} bytes")


async def _body(receive: Receive) -> bytes | None:
    """Return the request's body, or None where it is too large."""
    parts: list[bytes] = []
    more, size = True, 0
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LARGEST_BODY_BYTES:
            return None
        more = message.get("more_body", False)
    return b"".join(parts)


def _replayed(body: bytes, receive: Receive) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay


def sentence_of(error: Mapping[str, Any], example: str) -> str:
    """Say what is wrong with a body like `example`, and where, without repeating a value of it."""
    kind, place = str(error["type"]), tuple(error["loc"])[1:]
    if kind == "json_invalid":
        return f"the body is not JSON: {error['ctx']['error']} at character {place[0]}"
    if not place:
        return f"the body must be a JSON object, such as {example}"
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    sentence = _SENTENCES.get((kind, len(place))) or str(error["msg"])
    return f"{where.removeprefix('.')}: {sentence}"


_PAIR = "must be a pair, [the script's name, an object with its parameters]"
_OBJECT = "must be an object with the script's parameters"
_SENTENCES = {
    ("missing", 1): "is missing",
    ("extra_forbidden", 1): "is not a field of this body",
    ("string_type", 1): "must be a string",
    ("list_type", 1): f"must be a list; each of its items {_PAIR}",
    ("too_short", 1): "must hold at least one instruction",
    ("too_long", 1): "must hold at most 100 instructions",
    ("tuple_type", 2): _PAIR,
    ("too_long", 2): _PAIR,
    ("missing", 3): _OBJECT,
    ("dict_type", 3): _OBJECT,
    ("string_type", 3): "must be a string, the script's name in the library",
}
"""What a body's error means, by its type and by how deep in the body it is."""
