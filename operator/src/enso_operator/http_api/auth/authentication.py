"""ASGI middleware: finds out who asks before a route is called, and refuses whom nobody knows."""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from enso_operator.blocking import turn_of
from enso_operator.http_api.auth.tokens import token_in
from enso_operator.http_api.auth.viewer import Viewers
from enso_operator.http_api.middleware import Answer, refusal
from enso_operator.http_api.port import NotAllowed, NotSignedIn
from job_execution_framework.domain.errors import Unavailable

HOW = (
    "send the header 'Authorization: Bearer TOKEN' with a token of the cluster's, such as "
    "`kubectl create token NAME` prints"
)


def how_to_sign_in(error: Exception) -> str:
    """Return what is told to whom nobody knows."""
    return f"{error}; {HOW}"


class Authentication:
    """Puts the `Viewer` into the request's state."""

    def __init__(self, app: ASGIApp, viewers: Viewers, public: Collection[str]) -> None:
        """`public` are paths that anybody may read; one that ends with a `/` is a folder."""
        self._app, self._viewers = app, viewers
        self._pages = frozenset(public)
        self._folders = tuple(path for path in public if path.endswith("/"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a request of somebody who is known, or to what anybody may read."""
        if scope["type"] != "http" or (self._viewers.asks and self._is_public(scope["path"])):
            await self._app(scope, receive, send)
            return
        answer = await self._refused(scope)
        await (answer or self._app)(scope, receive, send)

    async def _refused(self, scope: Scope) -> Answer | None:
        try:
            token = token_in(Headers(scope=scope)) if self._viewers.asks else None
            viewer = await self._viewers.viewer(token)
        except NotSignedIn as error:
            return refusal(401, how_to_sign_in(error), {"WWW-Authenticate": "Bearer"})
        except NotAllowed as error:
            return refusal(403, str(error))
        except Unavailable as error:
            return refusal(503, str(error))
        turn_of.set(viewer.key)  # no caller's calls hold up those of another one
        scope.setdefault("state", {})["viewer"] = viewer
        return None

    def _is_public(self, path: str) -> bool:
        return path in self._pages or path.startswith(self._folders)
