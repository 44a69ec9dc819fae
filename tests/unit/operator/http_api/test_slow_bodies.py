"""Bodies that arrive slowly hold nobody else up, and take no more memory than is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from starlette.exceptions import HTTPException

from enso_operator.http_api import bodies
from enso_operator.http_api.bodies import Bodies
from tests.support.api import Api

pytestmark = pytest.mark.anyio
JSON = {"Content-Type": "application/json"}
BODY = json.dumps({"instructions": [["say", {}]]}).encode()


async def test_slow_senders_hold_nobody_up(api: Api) -> None:
    gate, begun = asyncio.Event(), asyncio.Semaphore(0)

    async def slow() -> AsyncIterator[bytes]:
        yield b" " * 70_000
        begun.release()
        await gate.wait()
        yield BODY

    async def small() -> AsyncIterator[bytes]:
        yield BODY

    def post(content: bytes | AsyncIterator[bytes]) -> asyncio.Task[int]:
        async def status() -> int:
            return (await api.http.post("/add-job", content=content, headers=JSON)).status_code

        return asyncio.create_task(status())

    senders = [post(slow()) for _ in range(6)]
    async with asyncio.timeout(30):
        for _ in senders:
            await begun.acquire()
        assert await post(small()) == 201
        assert await post(b" " * 70_000 + BODY) == 201
    gate.set()
    assert {await sender for sender in senders} == {201}


async def test_what_one_caller_sends_leaves_room_for_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bodies, "MOST_BYTES", 30)
    monkeypatch.setattr(bodies, "MOST_BYTES_OF_A_CALLER", 20)
    room = Bodies()
    async with room.arriving("ann") as take, room.arriving("bob") as takes_too:
        take(20)
        with pytest.raises(HTTPException, match="503"):
            take(1)
        takes_too(9)
        with pytest.raises(HTTPException, match="503"):
            takes_too(1)
    async with room.arriving("ann") as take:
        take(20)  # what has ended counts no more


@pytest.mark.parametrize("path", ["/cancel-job", "/add-job", "/list-jobs", "/get-job/x"])
async def test_what_follows_a_question_mark_is_refused_rather_than_ignored(
    api: Api, path: str
) -> None:
    method = "GET" if path.startswith(("/list", "/get")) else "POST"
    answer = await api.http.request(method, f"{path}?namespace=other", headers=JSON)
    assert answer.status_code == 422
    assert answer.json()["error"].startswith("'namespace' is no parameter of this path")
