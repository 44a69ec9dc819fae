"""The forms of pages: a token in each of them proves that a page of ours was sent to this browser.

The token stands in a cookie and in the form. Another site can make a browser send the cookie, but
read neither. It is of this browser and not of this process: forms of a page that is open outlive a
restart, and may be sent to another replica.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable
from urllib.parse import parse_qsl

from starlette.datastructures import FormData, Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request, cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from enso_operator.http_api.auth.first_sign_in import SIGN_IN, SIGN_OUT
from enso_operator.http_api.auth.foreign_links import is_from_elsewhere, page_again
from enso_operator.http_api.bodies import Bodies

FIELD = "form_token"
"""The hidden field of every form, and what templates call the token."""
COOKIE, SECURE_COOKIE = "enso-form", "__Host-enso-form"
"""Over https the second: no other host of the same domain can set it."""
LARGEST_FORM_BYTES = 1024 * 1024
LARGEST_SIGN_IN_BYTES = 64 * 1024
"""Of the forms that anybody may send: a token and an address fit."""
MOST_FIELDS = 2000
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_OLD = "this form is of a page that is no longer open in this browser: load the page again"


class FormTokens:
    """ASGI middleware: has the browser keep a token, and the request's state know it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; set the cookie with the first page that no other site asked for."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_secure = scope["scheme"] == "https"
        name = SECURE_COOKIE if is_secure else COOKIE
        headers = Headers(scope=scope)
        kept = cookie_parser(headers.get("cookie", "")).get(name, "")
        if not kept and (again := page_again(scope["method"], headers)):
            await again(scope, receive, send)
            return
        token = kept if _TOKEN.fullmatch(kept) else secrets.token_urlsafe(32)
        scope.setdefault("state", {})[FIELD] = token
        cookie = f"{name}={token}; Path=/; HttpOnly; SameSite=Strict" + "; Secure" * is_secure

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered = MutableHeaders(scope=message)
                if answered.get("content-type", "").startswith("text/html"):
                    answered.append("set-cookie", cookie)
            await send(message)

        is_set = token == kept or is_from_elsewhere(headers)  # which sends none, though it is kept
        await self._app(scope, receive, send if is_set else send_with_cookie)


async def form_of(request: Request) -> FormData:
    """Return the fields of a form that a page of ours has sent; raise HTTPException."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise HTTPException(415, "what is sent here must be a form of a page")
    try:
        if request.url.path in (SIGN_IN, SIGN_OUT):  # whoever sends it: nobody knows them yet
            body = await _body(request, LARGEST_SIGN_IN_BYTES)
        else:
            bodies: Bodies = request.app.state.bodies
            async with bodies.arriving(request.state.viewer.key) as take:
                body = await _body(request, LARGEST_FORM_BYTES, take)
    except ClientDisconnect:
        raise HTTPException(400, "the form did not arrive to its end") from None
    try:
        text = body.decode("ascii")
        fields = parse_qsl(
            text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS
        )
    except ValueError:
        raise HTTPException(400, "the form cannot be read") from None
    form = FormData([(name, value) for name, value in fields if name != FIELD])
    given = [value for name, value in fields if name == FIELD]
    expected: str = getattr(request.state, FIELD)
    if len(given) != 1 or not hmac.compare_digest(given[0].encode(), expected.encode()):
        raise HTTPException(403, _OLD)
    return form


async def _body(
    request: Request, most: int, take: Callable[[int], None] = lambda _: None
) -> bytearray:
    too_large = HTTPException(413, f"the form is larger than {most} bytes")
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > most:
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        if len(body) + len(chunk) > most:
            raise too_large
        take(len(chunk))
        body += chunk
    return body
