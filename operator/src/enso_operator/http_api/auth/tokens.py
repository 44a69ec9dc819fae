"""Where a request has its bearer token: the header Authorization, else the cookie of a sign-in.

A token is a `Secret` from here on, and goes to the API server only.
"""

from __future__ import annotations

import re

from starlette.datastructures import Headers

from enso_operator.http_api.auth.session_cookie import token_cookie
from enso_operator.http_api.port import NotSignedIn
from job_execution_framework.domain.secret import Secret

LONGEST_TOKEN = 16 * 1024
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""What RFC 6750 lets a bearer token be; nothing of it can end a header or begin another one."""


def token_in(headers: Headers) -> Secret | None:
    """Return the token, None where there is none; raise NotSignedIn for what cannot be one.

    The header comes first: a proxy that signs people in sets it for each request.
    """
    given = headers.getlist("authorization")
    if len(given) > 1:
        raise NotSignedIn("the request has the header Authorization more than once")
    if given:
        scheme, _, token = given[0].strip().partition(" ")
        if scheme.lower() != "bearer":
            raise NotSignedIn(
                "the header must be 'Authorization: Bearer TOKEN', without a password"
            )
        return checked(token.strip())
    token = token_cookie(headers)
    return checked(token) if token else None


def checked(token: str) -> Secret:
    """Return a token that can be sent to the API server; raise NotSignedIn."""
    if len(token) > LONGEST_TOKEN or not _TOKEN.fullmatch(token):
        raise NotSignedIn(
            f"that is no bearer token: it has letters, digits and . _ ~ + / - = only, and at most "
            f"{LONGEST_TOKEN} of them"
        )
    return Secret(token)
