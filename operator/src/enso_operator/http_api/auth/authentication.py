"""ASGI middleware: finds out who asks before a route is called, and refuses whom nobody knows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from enso_operator.blocking import turn_of
from enso_operator.http_api.auth.tokens import token_in
from enso_operator.http_api.auth.viewer import Viewers
from enso_operator.http_api.port import NotAllowed
from job_execution_framework.domain.errors import Unavailable

Refuse = Callable[[Request, Exception], Awaitable[Response]]
"""Answers an error as those of routes are answered."""


class Authentication:
    """Puts the `Viewer` into the request's state."""

    def __init__(
        self, app: ASGIApp, viewers: Viewers, public: Collection[str], refuse: Refuse
    ) -> None:
        """`public` are paths that anybody may read; one that ends with a `/` is a folder."""
        self._app, self._viewers, self._refuse = app, viewers, refuse
        self._pages = frozenset(public)
        self._folders = tuple(path for path in public if path.endswith("/"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a request of somebody who is known, or to what anybody may read."""
        if scope["type"] != "http" or (self._viewers.asks and self._is_public(scope["path"])):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            token = token_in(request.headers) if self._viewers.asks else None
            viewer = await self._viewers.viewer(token)
        except (NotAllowed, Unavailable) as error:
            await (await self._refuse(request, error))(scope, receive, send)
            return
        request.state.viewer = viewer
        turn_of.set(viewer.key)  # no caller's calls hold up those of another one
        await self._app(scope, receive, send)

    def _is_public(self, path: str) -> bool:
        return path in self._pages or path.startswith(self._folders)
