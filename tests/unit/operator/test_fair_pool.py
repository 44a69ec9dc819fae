"""Threads that are given out in turn, and what becomes of calls that nobody waits for any more."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from threading import Event, Semaphore, Thread, active_count, get_ident

import pytest

from enso_operator.blocking import MOST_AT_ONCE, MOST_OF_A_JOB, in_thread, turn_of
from enso_operator.fair_pool import FairPool

LONGEST_SECONDS = 30


def test_whoever_has_the_fewest_calls_under_way_is_next() -> None:
    pool, gates, order, made = FairPool(2, 2), [Event(), Event()], list[str](), Semaphore(0)

    def call(job: str) -> Callable[[], None]:
        def noted() -> None:
            order.append(job)
            made.release()

        return noted

    for gate in gates:
        pool.submit("many", gate.wait)
    for job in ("many", "many", "many", "one"):
        pool.submit(job, call(job))
    assert order == []
    gates[0].set()
    assert all(made.acquire(timeout=LONGEST_SECONDS) for _ in range(4))
    assert order == ["one", "many", "many", "many"]
    gates[1].set()
    pool.close()


def test_a_thread_that_has_made_a_call_makes_the_next_one() -> None:
    pool, made, threads = FairPool(3, 3), Semaphore(0), set[int]()

    def call() -> None:
        threads.add(get_ident())
        made.release()

    before = active_count()
    for _ in range(1000):
        pool.submit("", call)
    assert all(made.acquire(timeout=LONGEST_SECONDS) for _ in range(1000))
    assert active_count() <= before + 3
    pool.close()
    assert active_count() == before
    assert 1 <= len(threads) <= 3


def test_who_is_cancelled_waits_for_the_end_of_a_call_that_has_begun() -> None:
    has_begun, gate, ends = Event(), Event(), list[str]()

    def call() -> None:
        has_begun.set()
        gate.wait(LONGEST_SECONDS)
        ends.append("call")

    async def waits() -> None:
        try:
            await in_thread(call)
        finally:
            ends.append("waiting")

    async def cancelled() -> None:
        task = asyncio.create_task(waits())
        async with asyncio.timeout(LONGEST_SECONDS):
            await in_thread(has_begun.wait, LONGEST_SECONDS)
            task.cancel()
            await in_thread(lambda: None)  # time enough for one who would not wait
            assert not task.done()
            gate.set()
            await asyncio.wait([task])
        assert task.cancelled()

    asyncio.run(cancelled())
    assert ends == ["call", "waiting"]


def test_who_is_cancelled_before_it_begins_does_not_have_it_made() -> None:
    gate, made = Event(), list[str]()

    async def for_job(job: str, call: Callable[[], object]) -> None:
        turn_of.set(job)
        await in_thread(call)

    async def cancelled() -> None:
        begun = [asyncio.create_task(for_job("busy", gate.wait)) for _ in range(MOST_OF_A_JOB)]
        first = asyncio.create_task(for_job("busy", lambda: made.append("first")))
        second = asyncio.create_task(for_job("busy", lambda: made.append("second")))
        async with asyncio.timeout(LONGEST_SECONDS):
            await in_thread(lambda: None)
            first.cancel()
            await asyncio.wait([first])
            assert first.cancelled()
            assert not any(task.done() for task in (*begun, second))
            gate.set()
            await asyncio.gather(*begun, second)

    asyncio.run(cancelled())
    assert made == ["second"]


def test_a_loop_that_is_closed_meanwhile_costs_no_thread() -> None:
    gates = [Event() for _ in range(MOST_AT_ONCE)]
    has_begun = Semaphore(0)

    def hangs(gate: Event) -> None:
        has_begun.release()
        gate.wait(LONGEST_SECONDS)

    async def ask() -> None:
        for gate in gates:
            tasks.append(asyncio.create_task(in_thread(hangs, gate)))
        await asyncio.sleep(0)

    tasks = list[asyncio.Task[None]]()
    loop = asyncio.new_event_loop()
    loop.run_until_complete(ask())
    assert all(has_begun.acquire(timeout=LONGEST_SECONDS) for _ in gates)
    loop.close()
    for gate in gates:
        gate.set()

    async def others() -> list[int]:
        async with asyncio.timeout(LONGEST_SECONDS):
            return await asyncio.gather(*(in_thread(int, "7") for _ in gates))

    assert asyncio.run(others()) == [7] * MOST_AT_ONCE


def test_each_loop_is_told_of_its_own_calls() -> None:
    ends = dict[int, int]()

    async def many(number: int) -> None:
        found = await asyncio.gather(*(in_thread(lambda: number) for _ in range(200)))
        ends[number] = sum(found)

    threads = [Thread(target=asyncio.run, args=(many(number),)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONGEST_SECONDS)
    assert ends == {number: 200 * number for number in range(4)}


@pytest.mark.parametrize("call", ["lambda: None", "lambda: (time.sleep(0.3), print('made'))"])
def test_a_process_ends_when_what_has_begun_is_made(call: str) -> None:
    program = (
        "import asyncio, time\n"
        "from enso_operator import blocking\n"
        "asyncio.run(blocking.in_thread(lambda: None))\n"
        f"blocking._pool.submit('', {call})\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], timeout=60, check=True, capture_output=True, text=True
    )
    assert ended.stderr == ""
    assert ended.stdout == ("made\n" if "made" in call else "")
