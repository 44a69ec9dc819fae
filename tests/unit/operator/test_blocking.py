"""Calls in threads: no job holds up another one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import Event

import pytest

from enso_operator.blocking import MOST_AT_ONCE, MOST_OF_A_JOB, in_thread, turn_of


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
