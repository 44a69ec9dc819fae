"""A write was done where the API server says so, however little of its answer is read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from aiohttp import web

from enso_operator.kube.loop_client import LoopClient
from enso_operator.on_loop import on_loop
from enso_operator.sessions.pods.pod_api import PodApi
from job_execution_framework.domain.errors import Unavailable
from tests.support.answering import answering

pytestmark = pytest.mark.anyio
CREATED = (
    '{"kind":"Pod","metadata":{"name":"a","uid":"b","resourceVersion":"1","labels":{"c":"d"}},'
    '"spec":{"deep":' + "[" * 300 + "]" * 300 + "}}"
)
WRITES: dict[str, Callable[[PodApi], object]] = {
    "a Pod is created": lambda api: api.create({"metadata": {"name": "a"}}),
    "a plan is created": lambda api: api.create_plan({"metadata": {"name": "a"}}),
    "a gate is removed": lambda api: api.release("a", "b"),
    "a Pod is ended": lambda api: api.expire("a", "b"),
    "a Pod is deleted": lambda api: api.delete("a", "b"),
}
writes = pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)


async def written(write: Callable[[PodApi], object], answer: str) -> object:
    async def say(request: web.Request) -> web.Response:
        del request
        return web.Response(text=answer)

    async with answering(say) as configuration:
        client = LoopClient(configuration)
        try:
            return await on_loop(write, PodApi(client, "shows"))
        finally:
            await client.close_connections()


@writes
async def test_an_object_in_the_answer_says_that_it_was_done(
    write: Callable[[PodApi], object],
) -> None:
    await written(write, CREATED)


@writes
@pytest.mark.parametrize("answer", ["", "<html>Sign in</html>", "[]", "1", CREATED[:-1]])
async def test_a_page_of_somebody_else_is_no_success(
    write: Callable[[PodApi], object], answer: str
) -> None:
    with pytest.raises(Unavailable, match="what answered is no API server"):
        await written(write, answer)


async def test_of_what_is_created_it_is_read_which_it_is() -> None:
    assert await written(WRITES["a Pod is created"], CREATED) == {
        "metadata": {"name": "a", "uid": "b", "resourceVersion": "1"}
    }
    with pytest.raises(Unavailable, match="what answered is no API server"):
        await written(WRITES["a Pod is created"], "{}")
