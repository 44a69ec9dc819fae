"""Calls in threads: no job holds up another one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from threading import Event, get_ident

import pytest

from enso_operator.blocking import MOST_AT_ONCE, MOST_OF_A_JOB, in_thread, off_loop, turn_of
from enso_operator.on_loop import on_loop


async def for_job(job: str, call: Callable[[], None]) -> None:
    """Make such a call for a job."""
    turn_of.set(job)
    await in_thread(call)


def test_a_job_whose_calls_hang_holds_up_no_other() -> None:
    gate, under_way = Event(), list[int]()

    def hangs() -> None:
        under_way.append(1)
        gate.wait()

    async def both() -> int:
        many = [asyncio.create_task(for_job("floods", hangs)) for _ in range(5 * MOST_AT_ONCE)]
        try:
            async with asyncio.timeout(30):
                await asyncio.create_task(for_job("other", lambda: None))
                await in_thread(lambda: None)
            return len(under_way)
        finally:
            gate.set()
            await asyncio.gather(*many)

    assert asyncio.run(both()) <= MOST_OF_A_JOB
    assert len(under_way) == 5 * MOST_AT_ONCE


def test_what_a_call_raises_is_raised() -> None:
    def breaks() -> None:
        raise KeyError("so it is")

    with pytest.raises(KeyError, match="so it is"):
        asyncio.run(in_thread(breaks))


def test_whoever_is_cancelled_as_the_call_ends_goes_on() -> None:
    may_end = Event()

    async def story() -> None:
        calling = asyncio.create_task(in_thread(may_end.wait))
        await asyncio.sleep(0.05)

        def cancel() -> None:
            may_end.set()
            time.sleep(0.05)  # the loop is told that the call has ended, and has not looked yet
            calling.cancel()

        asyncio.get_running_loop().call_soon(cancel)
        _, hanging = await asyncio.wait([calling], timeout=30)
        assert not hanging

    asyncio.run(story())
    assert may_end.is_set()


def test_whoever_is_cancelled_waits_for_the_call_to_end() -> None:
    may_end = Event()

    async def story() -> None:
        calling = asyncio.create_task(in_thread(may_end.wait))
        await asyncio.sleep(0.05)
        calling.cancel()
        _, under_way = await asyncio.wait([calling], timeout=0.1)
        assert under_way
        may_end.set()
        _, hanging = await asyncio.wait([calling], timeout=30)
        assert not hanging
        assert calling.cancelled()

    asyncio.run(story())


def test_what_works_long_leaves_the_loop_and_returns_to_its_call() -> None:
    def works() -> int:
        return get_ident()

    async def both() -> tuple[int, int]:
        return await on_loop(off_loop, works), await in_thread(off_loop, works)

    of_loop, of_thread = asyncio.run(both())
    assert get_ident() not in (of_loop, of_thread)
    assert off_loop(works) == get_ident()
