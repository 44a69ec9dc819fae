"""What a page says where something is refused or not there."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from enso_operator.http_api.web.rendering import Templates

IS_PAGE = "enso.page"
"""Set in the scope of a request that is for a page."""


@dataclass(frozen=True)
class Problem:
    """What went wrong."""

    title: str
    sentence: str


def is_page(request: Request, status: int) -> bool:
    """Whether a refusal is shown as a page: for pages, and to browsers that are lost."""
    accepts = request.headers.get("accept", "")
    if IS_PAGE in request.scope:
        return accepts != "application/json"  # which the script of our pages says
    is_lost = status in _LOST and "endpoint" not in request.scope
    return is_lost and "text/html" in accepts


async def problem_page(
    templates: Templates, request: Request, status: int, sentence: str
) -> Response:
    """Return the page that says it."""
    problem = Problem(TITLES.get(status, HTTPStatus(status).phrase), sentence)
    return await templates.page(request, None, "problem.html", problem, status=status)


_LOST = {HTTPStatus.NOT_FOUND, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
"""What is answered before a route is found."""
TITLES = {
    400: "Not understood",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    409: "Not possible now",
    500: "Something broke",
    503: "No answer",
}
