"""Calls that block, such as those about files, made in threads of one bounded pool.

No job holds up another one: see `fair_pool`.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from typing import Generic, ParamSpec, TypeVar

from enso_operator.fair_pool import FairPool
from enso_operator.on_loop import is_on_loop, on_loop, wait_for
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


_pool = FairPool(MOST_AT_ONCE, MOST_OF_A_JOB)
atexit.register(_pool.close)


class _Call(Generic[R]):
    """A call in a thread, whose end is told to the event loop of whoever asked for it."""

    result: R
    error: BaseException | None = None

    def __init__(self, call: Callable[[], R]) -> None:
        self._call = call
        self._loop = asyncio.get_running_loop()
        self.end = self._loop.create_future()
        self._is_told = False

    def make(self) -> None:
        """Make the call in this thread."""
        try:
            self.result = self._call()
        except BaseException as error:  # noqa: BLE001  # whoever waits for it raises it
            self.error = error
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        self._is_told = True
        if not self.end.done():
            self.end.set_result(None)

    async def is_over(self) -> None:
        """Return when the call has been made, though whoever waited was cancelled."""
        if not self._is_told:  # it may have been told since `end` was cancelled, and not again
            self.end = self._loop.create_future()
            await self.end


async def in_thread(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what `call` returns, or raise what it raises.

    Whoever is cancelled before it begins does not have it made. Later they wait for its end all the
    same: a thread cannot be stopped, and what it works on must not be touched before.
    """
    job, asked = turn_of.get(), _Call(partial(call, *args, **kwargs))
    _pool.submit(job, asked.make)
    try:
        await asked.end
    except asyncio.CancelledError:
        if not _pool.withdraw(job, asked.make):
            await asked.is_over()
        raise
    if asked.error:
        raise asked.error
    return asked.result


def off_loop(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what a call returns that works long or blocks; in one of `on_loop`, by a thread."""
    if is_on_loop():
        return wait_for(in_thread(call, *args, **kwargs))
    return call(*args, **kwargs)


async def patiently(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what the API server answers a call, however long it is away or refuses it."""
    return await until_available(
        lambda: on_loop(call, *args, **kwargs), SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS
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
