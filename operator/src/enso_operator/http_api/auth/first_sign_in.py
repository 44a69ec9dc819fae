"""What somebody is told whom nobody knows: curl a sentence, a browser the way to sign in."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from enso_operator.http_api.auth import session_cookie

SIGN_IN, SIGN_OUT = "/sign-in", "/sign-out"
HOW = (
    "send the header 'Authorization: Bearer TOKEN' with a token of the cluster's, such as "
    "`kubectl create token NAME` prints"
)
CHALLENGE = {"WWW-Authenticate": "Bearer"}
"""For this browsers show no window of their own."""


def way_to_sign_in(request: Request) -> Response | None:
    """Return it for a browser that wants a page; None for whoever sends a token each time."""
    headers = request.headers
    accept = headers.get("accept", "")
    wants_page = request.method == "GET" and "text/html" in accept
    # A page asks for its stream by itself: nobody would see the way, nor why the cookie is gone.
    if not wants_page or "text/event-stream" in accept or "authorization" in headers:
        return None
    kept = session_cookie.token_cookie(headers)
    address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    where = {"next": address, **({"ended": "1"} if kept else {})}
    response = RedirectResponse(f"{SIGN_IN}?{urlencode(where)}", 303)
    if kept:
        response.headers["set-cookie"] = session_cookie.FORGETTING
    return response


def own_address(given: str) -> str:
    """Return an address of this server as it was given, "/" for what leads to another one."""
    is_own = given.startswith("/") and not given.startswith(("//", "/\\")) and given.isprintable()
    return given if is_own else "/"
