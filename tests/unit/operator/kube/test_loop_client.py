"""Requests on the event loop: turns that are fair to all jobs, and what a cancellation leaves."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from kubernetes.client import Configuration

from enso_operator.blocking import MOST_AT_ONCE, MOST_OF_A_JOB, turn_of
from enso_operator.kube import client, credentials, loop_client
from enso_operator.kube.client import ApiObjects, Forbidden, NoSuchObject
from enso_operator.kube.loop_client import LoopClient
from enso_operator.on_loop import on_loop
from job_execution_framework.domain.errors import NoAnswer, Unavailable
from tests.support.answering import Handler, answering
from tests.support.eventually import until

pytestmark = pytest.mark.anyio
LONGEST_SECONDS = 30.0
HEADER = "Bearer the-operator"


class Gate:
    """Answers with an object; what is asked for as `slow` waits until the gate is open."""

    def __init__(self) -> None:
        self.asked = Counter[str]()
        self.is_open = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        name = request.path.rpartition("/")[2]
        self.asked[name] += 1
        if name == "slow":
            await self.is_open.wait()
        return web.json_response({"metadata": {"name": name}})

    async def until_asked(self, name: str, times: int) -> None:
        await asyncio.to_thread(until, lambda: self.asked[name] >= times)


@asynccontextmanager
async def objects(answer: Handler) -> AsyncGenerator[ApiObjects]:
    async with answering(answer) as configuration:
        configuration.api_key = {"BearerToken": HEADER}
        client = LoopClient(configuration)
        try:
            yield ApiObjects(client, "shows", "ensojobs")
        finally:
            await client.close_connections()


async def get(jobs: ApiObjects, job: str, name: str) -> str:
    turn_of.set(job)
    return str((await on_loop(jobs.get, name))["metadata"]["name"])


async def test_a_job_whose_requests_hang_holds_up_no_other() -> None:
    gate = Gate()
    async with objects(gate.answer) as jobs:
        asks = [asyncio.create_task(get(jobs, "floods", "slow")) for _ in range(2 * MOST_AT_ONCE)]
        await gate.until_asked("slow", MOST_OF_A_JOB)
        async with asyncio.timeout(LONGEST_SECONDS):
            assert await asyncio.create_task(get(jobs, "other", "quick")) == "quick"
            assert await asyncio.create_task(get(jobs, "", "sweep")) == "sweep"
        assert gate.asked["slow"] == MOST_OF_A_JOB
        gate.is_open.set()
        assert await asyncio.gather(*asks) == ["slow"] * len(asks)
    assert gate.asked["slow"] == len(asks)


async def test_so_many_are_under_way_at_most() -> None:
    gate = Gate()
    async with objects(gate.answer) as jobs:
        asks = [
            asyncio.create_task(get(jobs, f"job-{number}", "slow"))
            for number in range(2 * MOST_AT_ONCE)
        ]
        await gate.until_asked("slow", MOST_AT_ONCE)
        late = asyncio.create_task(get(jobs, "late", "quick"))
        await asyncio.sleep(0.05)
        assert gate.asked == {"slow": MOST_AT_ONCE}
        gate.is_open.set()
        assert await asyncio.gather(*asks, late) == ["slow"] * len(asks) + ["quick"]


async def test_whoever_is_cancelled_before_its_turn_sends_nothing_and_keeps_no_turn() -> None:
    gate = Gate()
    async with objects(gate.answer) as jobs:
        begun = [asyncio.create_task(get(jobs, "busy", "slow")) for _ in range(MOST_OF_A_JOB)]
        await gate.until_asked("slow", MOST_OF_A_JOB)
        first = asyncio.create_task(get(jobs, "busy", "first"))
        second = asyncio.create_task(get(jobs, "busy", "second"))
        await asyncio.sleep(0.05)
        second.cancel()
        await asyncio.sleep(0.05)
        assert gate.asked == {"slow": MOST_OF_A_JOB}
        gate.is_open.set()
        async with asyncio.timeout(LONGEST_SECONDS):
            assert await first == "first"
            await asyncio.gather(*begun)
        assert second.cancelled()
    assert gate.asked == {"slow": MOST_OF_A_JOB, "first": 1}


async def test_whoever_is_cancelled_later_waits_for_the_answer() -> None:
    gate = Gate()
    async with objects(gate.answer) as jobs:
        asking = asyncio.create_task(get(jobs, "shot", "slow"))
        await gate.until_asked("slow", 1)
        asking.cancel()
        _, waiting = await asyncio.wait([asking], timeout=0.1)
        assert waiting
        gate.is_open.set()
        await asyncio.wait([asking], timeout=LONGEST_SECONDS)
        assert asking.cancelled()


async def test_what_comes_of_a_request_whose_asker_is_gone_is_no_complaint() -> None:
    told, may_fail, asked = list[object](), asyncio.Event(), asyncio.Event()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))

    async def answer(request: web.Request) -> web.Response:
        del request
        asked.set()
        await may_fail.wait()
        return web.json_response({"message": "no"}, status=409)

    async with objects(answer) as jobs:
        asking = asyncio.create_task(get(jobs, "shot", "quick"))
        await asked.wait()
        asking.cancel()
        await asyncio.sleep(0)
        may_fail.set()
        await asyncio.wait([asking], timeout=LONGEST_SECONDS)
        assert asking.cancelled()
        del asking
        gc.collect()
    assert told == []


async def test_who_waits_for_credentials_and_is_cancelled_sends_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate, may_answer = Gate(), threading.Event()

    def slow(configuration: Configuration) -> dict[str, str]:
        del configuration
        may_answer.wait(LONGEST_SECONDS)
        return {}

    monkeypatch.setattr(credentials, "authorization", slow)
    async with objects(gate.answer) as jobs:
        asking = asyncio.create_task(get(jobs, "shot", "quick"))
        await asyncio.sleep(0.05)
        asking.cancel()
        await asyncio.wait([asking], timeout=LONGEST_SECONDS)
        may_answer.set()
        assert await get(jobs, "shot", "later") == "later"
    assert gate.asked == {"later": 1}


async def test_connections_that_are_closed_are_made_anew() -> None:
    gate = Gate()
    async with objects(gate.answer) as jobs:
        assert isinstance(jobs.client, LoopClient)
        asking = asyncio.create_task(get(jobs, "shot", "slow"))
        await gate.until_asked("slow", 1)
        closing = asyncio.create_task(jobs.client.close_connections())
        await asyncio.sleep(0)
        assert await get(jobs, "shot", "quick") == "quick"
        await closing
        with pytest.raises(NoAnswer):
            await asking


async def test_each_request_has_the_credentials() -> None:
    async def answer(request: web.Request) -> web.Response:
        is_known = request.headers.get("Authorization") == HEADER
        return web.json_response({"message": "who are you?"}, status=404 if is_known else 401)

    async with objects(answer) as jobs:
        with pytest.raises(NoSuchObject, match="who are you"):
            await on_loop(jobs.get, "shot")
        assert isinstance(jobs.client, LoopClient)
        with pytest.raises(NoSuchObject, match="who are you"):
            await jobs.client.create("/api", {})


async def test_an_answer_that_does_not_come_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (client, loop_client):
        monkeypatch.setattr(module, "DEADLINE_SECONDS", 0.1)
    gate = Gate()
    async with objects(gate.answer) as jobs:
        with pytest.raises(NoAnswer, match=r"^the API server did not answer: not within 0\.1 s$"):
            await get(jobs, "shot", "slow")
        gate.is_open.set()


async def test_an_api_server_that_is_away_is_said_to_be() -> None:
    client = LoopClient(Configuration(host="http://127.0.0.1:9"))
    with pytest.raises(NoAnswer, match=r"did not answer: .*127\.0\.0\.1.*9"):
        await get(ApiObjects(client, "shows", "ensojobs"), "shot", "quick")
    await client.close_connections()


@pytest.mark.parametrize(
    ("code", "error"), [(403, Forbidden), (302, Unavailable), (500, Unavailable)]
)
async def test_what_the_api_server_answers_is_raised(code: int, error: type[Exception]) -> None:
    async def answer(request: web.Request) -> web.Response:
        del request
        headers = {"Location": "/elsewhere"} if code == 302 else {}
        return web.json_response({"message": "not so"}, status=code, headers=headers)

    async with objects(answer) as jobs:
        with pytest.raises(error, match="not so"):
            await get(jobs, "shot", "quick")
