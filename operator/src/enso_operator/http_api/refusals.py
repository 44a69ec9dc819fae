"""How errors are answered: a sentence in JSON, or a page where the path is a page's."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from enso_operator.http_api.auth.first_sign_in import CHALLENGE, HOW, way_to_sign_in
from enso_operator.http_api.middleware import refusal
from enso_operator.http_api.mistakes import sentence_of
from enso_operator.http_api.output import NoOutput
from enso_operator.http_api.port import Busy, NotAllowed, NotSignedIn
from enso_operator.http_api.web.problems import is_page, problem_page
from enso_operator.http_api.web.rendering import Templates
from enso_operator.http_api.web.security import HEADERS
from enso_operator.http_api.web.views.query import BadAddress
from job_execution_framework.domain.errors import (
    InvalidAction,
    InvalidJob,
    JobAlreadyStarted,
    JobNotFound,
    Unavailable,
)

EXAMPLES = {
    "/add-job": '{"instructions": [["example_script", {"arg1": "value1"}]]}',
    "/skip-script": '{"jobid": "<jobid>", "script": "<script>"}',
}
EXAMPLE = '{"jobid": "<jobid>"}'
"""The example body of all other routes."""
STATUSES: dict[type[Exception], int] = {
    BadAddress: 400,
    InvalidJob: 422,
    JobAlreadyStarted: 409,
    InvalidAction: 409,
    JobNotFound: 404,
    NotSignedIn: 401,
    NoOutput: 404,
    NotAllowed: 403,
    Busy: 503,
    Unavailable: 503,
}


class Refusals:
    """The handlers of errors. Middleware, which is outside of them, calls it itself."""

    def __init__(self, routes: str, templates: Templates, *, asks: bool) -> None:
        """`routes` names what there is, for those who ask for more.

        Without `asks` nobody says who they are: credentials that are refused are the server's own.
        """
        self._routes, self._templates = routes, templates
        self._statuses = STATUSES if asks else STATUSES | {NotSignedIn: STATUSES[NotAllowed]}

    def add_to(self, app: FastAPI) -> None:
        """Have the application answer errors so."""
        for kind in STATUSES:
            app.add_exception_handler(kind, self._refused)
        app.add_exception_handler(RequestValidationError, self._invalid)
        app.add_exception_handler(HTTPException, self._http)
        app.add_exception_handler(Exception, self._broken)

    async def __call__(self, request: Request, error: Exception) -> Response:
        """Answer an error of middleware."""
        is_http = isinstance(error, HTTPException)
        return await (self._http if is_http else self._refused)(request, error)

    async def _answer(self, request: Request, status: int, sentence: str) -> Response:
        if is_page(request, status):
            return await problem_page(self._templates, request, status, sentence)
        return refusal(status, sentence)

    async def _refused(self, request: Request, error: Exception) -> Response:
        status = next(code for kind, code in self._statuses.items() if isinstance(error, kind))
        if status != STATUSES[NotSignedIn]:
            return await self._answer(request, status, str(error))
        if way := way_to_sign_in(request):
            return way
        response = await self._answer(request, status, f"{error}; {HOW}")
        response.headers.update(CHALLENGE)
        return response

    async def _invalid(self, request: Request, error: Exception) -> Response:
        if not isinstance(error, RequestValidationError):
            raise TypeError(type(error))
        first = error.errors()[0]
        example = EXAMPLES.get(request.url.path, EXAMPLE)
        return refusal(400 if first["type"] == "json_invalid" else 422, sentence_of(first, example))

    async def _http(self, request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise TypeError(type(error))
        sentence = _sentence(request, error, self._routes)
        response = await self._answer(request, error.status_code, sentence)
        response.headers.update(error.headers or {})
        return response

    async def _broken(self, request: Request, error: Exception) -> Response:
        del error  # the server logs it
        sentence = "something of enso's own broke: the server's log has the details"
        response = await self._answer(request, 500, sentence)
        response.headers.update(HEADERS)  # it is sent from outside of all middleware
        return response


def _sentence(request: Request, error: HTTPException, routes: str) -> str:
    if is_page(request, error.status_code):
        return _IN_PAGES.get(error.detail, error.detail)
    return {
        400: "the body cannot be read as JSON",
        404: f"there is nothing at this path; there are {routes}, and /docs",
        405: f"{request.method} is not for this path; there are {routes}",
    }.get(error.status_code, error.detail)


_IN_PAGES = {
    "Not Found": "There is nothing at this address.",
    "Method Not Allowed": "This address is only to be looked at.",
}
