"""ASGI middleware: how the browser reached a proxy before this server, as that proxy tells it.

Only named proxies are believed: whoever else sends these headers could say what they like.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Receive, Scope, Send

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
SCHEMES = ("http", "https")


class Forwarded:
    """Takes the scheme and the host of X-Forwarded-Proto and X-Forwarded-Host."""

    def __init__(self, app: ASGIApp, proxies: Sequence[Network]) -> None:
        self._app, self._proxies = app, proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, as the browser sent it if a named proxy says how that was."""
        if scope["type"] == "http" and self._is_named(scope.get("client")):
            scope = _as_the_browser_sent_it(scope)
        await self._app(scope, receive, send)

    def _is_named(self, client: tuple[str, int] | None) -> bool:
        if client is None or not self._proxies:
            return False
        address = ipaddress.ip_address(client[0])
        address = getattr(address, "ipv4_mapped", None) or address  # of a socket for both
        return any(address in network for network in self._proxies)


def _as_the_browser_sent_it(scope: Scope) -> Scope:
    scope = {**scope, "headers": [*scope["headers"]]}
    headers = Headers(scope=scope)
    if (scheme := _last(headers, "x-forwarded-proto").lower()) in SCHEMES:
        scope["scheme"] = scheme
    if host := _last(headers, "x-forwarded-host"):
        MutableHeaders(scope=scope)["host"] = host
    return scope


def _last(headers: Headers, name: str) -> str:
    """Return what the nearest proxy says: those before it, and the browser, stand before that."""
    return ",".join(headers.getlist(name)).rpartition(",")[2].strip()
