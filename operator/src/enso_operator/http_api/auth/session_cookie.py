"""The cookie in which a browser keeps the token of somebody who has signed in."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.requests import cookie_parser

COOKIE = "__Host-enso-token"
"""Browsers take a cookie of such a name only with `Secure`, of this host alone, for all paths."""
LONGEST = 4000
"""Browsers keep 4,096 bytes of a cookie with its name."""
_KEPT_WITH = "Path=/; Secure; HttpOnly; SameSite=Strict"


def token_cookie(headers: Headers) -> str:
    """Return the token that the browser has kept, "" where there is none."""
    return cookie_parser(headers.get("cookie", "")).get(COOKIE, "")


def keeping(token: str) -> str:
    """Return the header Set-Cookie that has the browser keep a token until it is closed."""
    return f"{COOKIE}={token}; {_KEPT_WITH}"


FORGETTING = f"{COOKIE}=; Max-Age=0; {_KEPT_WITH}"
"""The header Set-Cookie that takes it away."""
