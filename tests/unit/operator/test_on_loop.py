"""Calls that wait on the event loop: each is written as if it blocked, and keeps nobody waiting."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from contextvars import ContextVar
from threading import get_ident

import pytest

from enso_operator.on_loop import is_on_loop, on_loop, wait_for

pytestmark = pytest.mark.anyio
MANY = 100
about: ContextVar[str] = ContextVar("about", default="nothing")


async def doubled(number: int) -> int:
    await asyncio.sleep(0)
    return 2 * number


async def test_a_call_waits_as_often_as_it_likes_and_returns_a_result() -> None:
    def call(number: int, *, times: int) -> int:
        for _ in range(times):
            number = wait_for(doubled(number))
        return number

    assert await on_loop(call, 1, times=10) == 1024
    assert await on_loop(call, 7, times=0) == 7


async def test_all_wait_at_once_in_one_thread() -> None:
    waiting, all_wait, threads = [0], asyncio.Event(), set[int]()

    async def until_all_wait() -> None:
        waiting[0] += 1
        if waiting[0] == MANY:
            all_wait.set()
        await all_wait.wait()

    def call(number: int) -> int:
        threads.add(get_ident())
        wait_for(until_all_wait())
        return number

    async with asyncio.timeout(30):
        made = await asyncio.gather(*(on_loop(call, number) for number in range(MANY)))
    assert made == [*range(MANY)]
    assert threads == {get_ident()}


async def test_what_is_raised_on_either_side_is_raised_on_the_other() -> None:
    async def breaks() -> None:
        await asyncio.sleep(0)
        raise KeyError("what was waited for")

    def call() -> None:
        with pytest.raises(KeyError, match="what was waited for"):
            wait_for(breaks())
        raise ValueError("the call")

    with pytest.raises(ValueError, match="the call"):
        await on_loop(call)


async def test_whoever_is_cancelled_has_the_call_end() -> None:
    ends = list[str]()

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ends.append("what was waited for")

    def call() -> None:
        try:
            wait_for(forever())
        finally:
            wait_for(doubled(1))  # as whoever cleans up may have to
            ends.append("the call")

    calling = asyncio.create_task(on_loop(call))
    await asyncio.sleep(0)
    calling.cancel()
    with suppress(asyncio.CancelledError):
        await calling
    assert calling.cancelled()
    assert ends == ["what was waited for", "the call"]


async def test_a_call_has_the_context_of_its_task_and_keeps_its_changes_to_itself() -> None:
    def call() -> str:
        before = about.get()
        about.set("the call's own")
        wait_for(doubled(1))
        assert about.get() == "the call's own"
        return before

    about.set("the task's")
    assert await on_loop(call) == "the task's"
    assert about.get() == "the task's"


async def test_a_call_may_have_another_one_made() -> None:
    assert await on_loop(lambda: wait_for(on_loop(lambda: wait_for(doubled(2))))) == 4


async def test_only_such_a_call_may_wait() -> None:
    assert await on_loop(is_on_loop)
    assert not is_on_loop()
    assert not await asyncio.to_thread(is_on_loop)
    waited_for = doubled(1)
    with pytest.raises(RuntimeError, match="only a call of `on_loop`"):
        wait_for(waited_for)
    waited_for.close()
