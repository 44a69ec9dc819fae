"""A server that knows two people by their tokens, each with jobs of their own, and a browser."""

from __future__ import annotations

import html
import re
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from httpx2 import ASGITransport, AsyncClient, Response
from starlette.types import ASGIApp

from enso_operator.http_api.app import Reach, create_app
from enso_operator.http_api.auth.viewer import Viewer
from enso_operator.http_api.memory_backend import EmbeddedJobs
from enso_operator.http_api.port import Jobs, NotSignedIn
from job_execution_framework.domain.secret import Secret

HOME = "https://enso.example"
PAGE = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
ANN, BOB = "anns-token", "bobs-token"


@dataclass
class People:
    """Implements `Viewers`: ann and bob."""

    jobs: dict[str, Jobs]
    asks: bool = True
    namespace: str = "shows"
    revoked: set[str] = field(default_factory=set[str])

    async def viewer(self, token: Secret | None) -> Viewer:
        given = token.reveal() if token else None
        if given not in self.jobs or given in self.revoked:
            raise NotSignedIn("the API server does not accept this token")
        return Viewer(self.jobs[str(given)], str(given).removesuffix("s-token"), f"of {given}")


async def people(stack: AsyncExitStack) -> People:
    jobs = [await stack.enter_async_context(EmbeddedJobs()) for _ in (ANN, BOB)]
    return People(dict(zip((ANN, BOB), jobs, strict=True)))


def app_of(known: People, reach: Reach | None = None) -> ASGIApp:
    return create_app(known, reach or Reach(hosts=None))


@dataclass
class Browser:
    """Keeps cookies, and says where a request comes from."""

    client: AsyncClient

    @classmethod
    async def opened(cls, stack: AsyncExitStack, app: ASGIApp, home: str = HOME) -> Browser:
        transport = ASGITransport(app, raise_app_exceptions=False)
        client = AsyncClient(transport=transport, base_url=home, headers=PAGE)
        return cls(await stack.enter_async_context(client))

    async def get(self, path: str, **headers: str) -> Response:
        sent = {"sec-fetch-site": "same-origin"} | _names(headers)
        return await self.client.get(path, headers=sent)

    async def post(self, path: str, form: dict[str, str], **headers: str) -> Response:
        sent = {"sec-fetch-site": "same-origin"} | _names(headers)
        return await self.client.post(path, data=form, headers=sent)

    async def sign_in(self, token: str, following: str = "/") -> Response:
        page = await self.client.get("/sign-in", params={"next": following})
        return await self.post("/sign-in", fields(page) | {"token": token})


def fields(page: Response) -> dict[str, str]:
    """Return the hidden fields of a page's form."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text)
    return {name: html.unescape(value) for name, value in found}


def _names(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
