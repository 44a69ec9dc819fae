"""Links of other sites: a browser sends no cookie of ours with them (`SameSite=Strict`).

The page is asked for once more, by a page of ours, before anybody is told to sign in, and before a
new cookie takes the place of the one that the forms of other open pages are of.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, Response

_AGAIN = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="0">'
    '<title>enso</title><p><a href="">Go on</a></p></html>\n'
)


def is_from_elsewhere(headers: Headers) -> bool:
    """Whether a browser says that another site made it send the request."""
    return headers.get("sec-fetch-site") in ("cross-site", "same-site")


def page_again(method: str, headers: Headers) -> Response | None:
    """Return a page that has the browser ask once more; None where it wants no page from there."""
    wants_page = method == "GET" and "text/html" in headers.get("accept", "")
    return HTMLResponse(_AGAIN) if wants_page and is_from_elsewhere(headers) else None
