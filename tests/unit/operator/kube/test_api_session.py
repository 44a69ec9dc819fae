"""What stands in answers of the API server, as kopf and our own calls get to see it."""

from __future__ import annotations

import asyncio
import json
from copy import deepcopy
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from kubernetes.client import ApiClient, Configuration

from enso_operator.controller.handlers import credentials
from enso_operator.kube.api_session import BoundedResponse, session_of
from enso_operator.kube.client import ApiObjects
from enso_operator.sessions.pods.logs import PodLogs
from job_execution_framework.domain.errors import Unavailable
from tests.support.answering import answering

pytestmark = pytest.mark.anyio
DEPTHS = (600, 1200, 9_000)


def job(name: str, depth: int) -> str:
    return f'{{"metadata": {{"name": "{name}"}}, "spec": {{"a": {"[" * depth}{"]" * depth}}}}}'


def event(name: str, depth: int) -> bytes:
    return f'{{"type": "ADDED", "object": {job(name, depth)}}}\n'.encode()


async def lists_deep_ones(_: web.Request) -> web.Response:
    jobs = ", ".join([job("fine", 3), *(job(f"deep-{depth}", depth) for depth in DEPTHS)])
    text = f'{{"items": [{jobs}], "metadata": {{}}}}'
    return web.Response(text=text, content_type="application/json")


def names(items: list[dict[str, Any]]) -> list[str]:
    return [item["metadata"]["name"] for item in deepcopy(items)]  # kopf copies, too


async def test_a_list_with_deep_objects_is_read() -> None:
    async with answering(lists_deep_ones) as configuration:
        async with session_of(configuration, response_class=BoundedResponse) as session:
            listed = await (await session.get(configuration.host)).json()
        client = ApiClient(configuration)
        ours = await asyncio.to_thread(list, ApiObjects(client, "shows", "ensojobs").each())
    assert names(listed["items"]) == names(ours) == ["fine", *(f"deep-{depth}" for depth in DEPTHS)]


async def test_each_line_of_a_watch_is_read_however_it_is_torn() -> None:
    events = [event("a", 1), *(event(f"deep-{depth}", depth) for depth in DEPTHS), event("b", 1)]

    async def tells(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        told = b"".join(events).removesuffix(b"\n")
        for start in range(0, len(told), 997):
            await answer.write(told[start : start + 997])
        return answer

    heard: list[Any] = []
    async with (
        answering(tells) as configuration,
        session_of(configuration, response_class=BoundedResponse) as session,
        session.get(configuration.host) as answer,
    ):
        async for chunk in answer.content.iter_chunked(1024**2):
            heard += map(json.loads, chunk.splitlines())
    assert names([told["object"] for told in heard]) == [
        "a",
        *(f"deep-{depth}" for depth in DEPTHS),
        "b",
    ]


async def test_kopf_is_given_a_session_that_bounds_what_it_reads() -> None:
    async with answering(lists_deep_ones) as configuration:
        given = credentials(configuration)
        async with given.aiohttp_session as session:
            answer = await session.get(given.server)
    assert isinstance(answer, BoundedResponse)
    assert isinstance(answer, aiohttp.ClientResponse)


@pytest.mark.parametrize(
    ("host", "no_proxy", "by_proxy"),
    [
        ("http://api.studio.example", None, True),
        ("http://api.studio.example", "other.example", True),
        ("http://api.studio.example", "studio.example", False),
        ("http://127.0.0.1:1", "10.0.0.0/8", True),
        ("http://127.0.0.1:1", "127.0.0.0/8", False),
    ],
)
async def test_a_proxy_is_used_as_the_official_client_uses_it(
    host: str, no_proxy: str | None, *, by_proxy: bool
) -> None:
    asked: list[str] = []

    async def tells(request: web.Request) -> web.Response:
        asked.append(str(request.url))
        return web.Response(text="record\n")

    async with answering(tells) as proxy:
        configuration = Configuration()
        configuration.host, configuration.no_proxy = host, no_proxy
        configuration.proxy = proxy.host
        logs, lines = PodLogs(configuration), list[bytes]()
        try:
            async for read in logs.follow("shows", "shot", "records"):
                lines += read
        except Unavailable:
            assert not by_proxy
        finally:
            await logs.close()
    assert lines == [b"record"] * by_proxy
    assert len(asked) == by_proxy
    assert all(url.startswith(f"{host}/api/v1/namespaces/shows/pods/shot/log") for url in asked)
