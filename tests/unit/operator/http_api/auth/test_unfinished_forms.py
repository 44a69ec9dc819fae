"""A form that a browser does not send to its end, and one that is larger than any of ours."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest
from starlette.types import ASGIApp, Message

from tests.support.api import Served
from tests.support.signed_in import app_of, people

pytestmark = pytest.mark.anyio


@pytest.fixture
def stack(served: Served) -> AsyncExitStack:
    return served.stack


async def status_of(
    app: ASGIApp, path: str, arrived: list[Message], *headers: tuple[bytes, bytes]
) -> tuple[int, int]:
    """Return the status of the answer, and how much of what arrived was taken."""
    sent, waiting = list[Message](), [*arrived]

    async def receive() -> Message:
        return waiting.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    kind = (b"content-type", b"application/x-www-form-urlencoded")
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "https",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"enso.example"), kind, *headers],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 5005),
    }
    await app(scope, receive, send)
    return sent[0]["status"], len(arrived) - len(waiting)


def chunk(size: int) -> Message:
    return {"type": "http.request", "body": b"a" * size, "more_body": True}


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out"])
async def test_a_browser_that_goes_away_breaks_nothing(stack: AsyncExitStack, path: str) -> None:
    app = app_of(await people(stack))
    gone: Message = {"type": "http.disconnect"}
    assert (await status_of(app, path, [chunk(10), gone]))[0] == 400


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out"])
async def test_little_is_kept_of_whom_nobody_knows(stack: AsyncExitStack, path: str) -> None:
    app = app_of(await people(stack))
    many = [chunk(16 * 1024) for _ in range(64)]
    assert await status_of(app, path, many) == (413, 5)
    told = (b"content-length", b"1048576")
    assert await status_of(app, path, many, told) == (413, 0)
