"""Calls that block, such as requests to the API server, made in threads of one bounded pool.

Whoever has the fewest calls under way has the next turn: no job holds up another one, however many
calls it makes and however long they take.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict, deque
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from threading import Lock
from typing import ParamSpec, TypeVar

from job_execution_framework.domain.errors import NotYet, Unavailable

_log = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")

MOST_AT_ONCE = 32
"""So many calls are under way at most, whatever number of jobs there is; others wait in turn."""
MOST_OF_A_JOB = 8
"""So many of them are one job's."""
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 5.0
"""Before what was not available is asked for again."""
turn_of: ContextVar[str] = ContextVar("turn_of", default="")
"""The job whose calls are made, set by the task that looks after it; empty for all else."""


class FairPool:
    """Threads, given out one call at a time; that costs the same however many jobs wait."""

    def __init__(self, most: int, most_of_a_job: int) -> None:
        self._threads = ThreadPoolExecutor(most, thread_name_prefix="enso")
        self._free, self._most_of_a_job = most, most_of_a_job
        self._lock = Lock()
        self._under_way = Counter[str]()
        self._waiting: dict[str, deque[Callable[[], None]]] = {}
        """The calls that each job waits for."""
        self._turns = defaultdict[int, dict[str, None]](dict)
        """The jobs that wait, by how many calls they have under way; who waits longest is first."""

    def submit(self, job: str, call: Callable[[], R]) -> Future[R]:
        """Have the call made when it is the job's turn."""
        future = Future[R]()
        with self._lock:
            self._waiting.setdefault(job, deque()).append(lambda: _make(call, future))
            self._turns[self._under_way[job]].setdefault(job)
            self._give_out()
        return future

    def _give_out(self) -> None:
        while self._free and (job := self._next()) is not None:
            calls = self._waiting[job]
            call = calls.popleft()
            if not calls:
                del self._waiting[job]
            self._free -= 1
            self._count(job, 1)
            self._threads.submit(self._work, job, call)

    def _next(self) -> str | None:
        """Return the job whose turn it is; what belongs to no job may have all threads."""
        for count in sorted(self._turns):
            jobs = self._turns[count]
            job = next(iter(jobs), None) if count < self._most_of_a_job else ""
            if job in jobs:
                return job
        return None

    def _count(self, job: str, change: int) -> None:
        """Change how many calls the job has under way, and its turn with that."""
        self._turns[self._under_way[job]].pop(job, None)
        self._under_way[job] += change
        if job in self._waiting:
            self._turns[self._under_way[job]][job] = None
        if not self._under_way[job]:
            del self._under_way[job]

    def _work(self, job: str, call: Callable[[], None]) -> None:
        call()
        with self._lock:
            self._free += 1
            self._count(job, -1)
            self._give_out()


def _make(call: Callable[[], R], future: Future[R]) -> None:
    """Make the call, unless nobody wants its result any more."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001  # whoever waits for it raises it
        future.set_exception(error)
    else:
        future.set_result(result)


_pool = FairPool(MOST_AT_ONCE, MOST_OF_A_JOB)


async def in_thread(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what `call` returns, or raise what it raises.

    Whoever is cancelled meanwhile waits for its end all the same: a thread cannot be stopped, and
    what it works on must not be touched before.
    """
    future = _pool.submit(turn_of.get(), lambda: call(*args, **kwargs))
    task = asyncio.wrap_future(future)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


async def patiently(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what `call` returns, however long the API server is away or refuses it."""
    return await until_available(
        lambda: in_thread(call, *args, **kwargs), SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS
    )


async def until_available(
    call: Callable[[], Awaitable[R]], shortest: float = 1.0, longest: float = 1.0
) -> R:
    """Return what `call` returns once the API server answers; the pauses are in seconds."""
    tries = 0
    while True:
        try:
            return await call()
        except Unavailable as error:
            if tries == 0 and isinstance(error, NotYet):
                _log.warning("%s; trying again", error)
            await asyncio.sleep(pause_of(tries, shortest, longest))
            tries += 1


def pause_of(tries: int, shortest: float, longest: float) -> float:
    """Return how long to wait after so many tries: each time twice as long, up to a limit.

    Whoever tries something again asks this. tenacity would be more code: most of these loops wait
    for a timer or for a message meanwhile, and do something else before the next try.
    """
    return min(longest, shortest * 2.0 ** min(tries, 32))
