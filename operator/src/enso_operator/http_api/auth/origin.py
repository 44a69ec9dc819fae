"""How a browser reached this server, and whether a page of ours has made it send a request."""

from __future__ import annotations

import ipaddress

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from enso_operator.http_api.auth.authentication import Refuse
from enso_operator.http_api.middleware import host_in

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
FOREIGN = (
    "a page of another site has made your browser send this, so it is refused: do it from a page "
    "of this server's; a proxy before it must be named by --trusted-proxy, and send "
    "X-Forwarded-Proto and the Host header, or X-Forwarded-Host, of the browser"
)


class OwnOrigin:
    """ASGI middleware: lets no page of another site change anything."""

    def __init__(self, app: ASGIApp, refuse: Refuse) -> None:
        self._app, self._refuse = app, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what reads, what no browser sends, and what a page of ours has sent."""
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS and is_foreign(scope):
            answer = await self._refuse(Request(scope, receive), HTTPException(403, FOREIGN))
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)


def is_foreign(scope: Scope) -> bool:
    """Whether a browser says that the request comes of a page of another site.

    Browsers say it in Sec-Fetch-Site, which no page can change; over plain HTTP, and older ones, in
    Origin. What says neither is no browser.
    """
    headers = Headers(scope=scope)
    if site := headers.get("sec-fetch-site"):
        return site != "same-origin"
    origin = headers.get("origin")
    return origin is not None and origin != f"{scope['scheme']}://{headers.get('host', '')}"


def is_private(scope: Scope) -> bool:
    """Whether nobody between the browser and this server, or a proxy before it, reads along."""
    return scope["scheme"] == "https" or _is_loopback(host_in(Headers(scope=scope)))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
