"""Calls that block, such as requests to the API server, made in threads of one bounded pool."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from job_execution_framework.domain.errors import Unavailable

P = ParamSpec("P")
R = TypeVar("R")

MOST_AT_ONCE = 32
"""So many calls are under way at most, whatever number of jobs there is; others wait in turn."""
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 5.0
"""Before what was not available is asked for again."""
_pool = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="enso")


async def in_thread(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what `call` returns, or raise what it raises.

    Whoever is cancelled meanwhile waits for its end all the same: a thread cannot be stopped, and
    what it works on must not be touched before.
    """
    task = asyncio.ensure_future(
        asyncio.get_running_loop().run_in_executor(_pool, lambda: call(*args, **kwargs))
    )
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


async def patiently(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what `call` returns, however long the API server is away."""
    pause = SHORTEST_PAUSE_SECONDS
    while True:
        try:
            return await in_thread(call, *args, **kwargs)
        except Unavailable:
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
