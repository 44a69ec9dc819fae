"""The page on which people sign in with a token, and what its forms ask for."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from enso_operator.http_api.auth import session_cookie
from enso_operator.http_api.auth.first_sign_in import SIGN_IN, SIGN_OUT, own_address
from enso_operator.http_api.auth.forms import form_of
from enso_operator.http_api.auth.origin import is_private
from enso_operator.http_api.auth.tokens import checked
from enso_operator.http_api.auth.viewer import Viewers
from enso_operator.http_api.port import NotAllowed
from enso_operator.http_api.web.page_route import PageRoute
from enso_operator.http_api.web.rendering import Templates

ENDED = (
    "The API server no longer accepts the token that you signed in with: it has expired, or was "
    "revoked. Get a new one."
)
NOT_PRIVATE = (
    "Nobody can sign in here: this page came over plain HTTP, so whoever is on the way could read "
    "your token, and browsers do not keep it. Open this server by https://, through a proxy that "
    "is named by --trusted-proxy and sends X-Forwarded-Proto, or by kubectl port-forward at "
    "http://localhost."
)
TOO_LONG = (
    f"This token has more than {session_cookie.LONGEST} characters, and browsers keep no such "
    "cookie: use one of a ServiceAccount, or a proxy that sends it with each request"
)


@dataclass(frozen=True)
class SignIn:
    """What the page shows."""

    namespace: str
    """Whose jobs are served."""
    next: str
    """The address that was asked for, where somebody goes who has signed in."""
    sentence: str = ""
    """What was wrong with the last token, or with the way here."""
    is_possible: bool = True
    """Whether a token may be sent."""


def add_sign_in(app: FastAPI, viewers: Viewers, templates: Templates) -> None:
    """Add the page, and the answers to its form and to that which signs out."""

    async def page(request: Request, shown: SignIn, status: int = 200) -> Response:
        return await templates.page(request, None, "sign_in.html", shown, status=status)

    async def show(request: Request) -> Response:
        following = own_address(request.query_params.get("next", "/"))
        if not is_private(request.scope):
            return await page(
                request, SignIn(viewers.namespace, following, NOT_PRIVATE, is_possible=False)
            )
        sentence = ENDED if "ended" in request.query_params else ""
        return await page(request, SignIn(viewers.namespace, following, sentence))

    async def sign_in(request: Request) -> Response:
        if not is_private(request.scope):
            raise HTTPException(403, NOT_PRIVATE)
        form = await form_of(request)
        following, token = own_address(str(form.get("next", "/"))), str(form.get("token", ""))
        token = "".join(token.split())  # as terminals wrap it
        try:
            await viewers.viewer(checked(token))
        except NotAllowed as error:
            return await page(request, SignIn(viewers.namespace, following, str(error)), 401)
        if len(token) > session_cookie.LONGEST:
            return await page(request, SignIn(viewers.namespace, following, TOO_LONG), 401)
        return _redirect(following, session_cookie.keeping(token))

    async def sign_out(request: Request) -> Response:
        await form_of(request)
        return _redirect(SIGN_IN, session_cookie.FORGETTING)

    app.router.routes += [
        PageRoute(SIGN_IN, show, methods=["GET"]),
        PageRoute(SIGN_IN, sign_in, methods=["POST"]),
        PageRoute(SIGN_OUT, sign_out, methods=["POST"]),
    ]


def _redirect(address: str, cookie: str) -> Response:
    return RedirectResponse(address, 303, {"set-cookie": cookie})
