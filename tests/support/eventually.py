"""Waits for a condition; every test that waits uses this."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator

DEADLINE_SECONDS = 120.0
"""Long, as it only ends tests that hang, also on a busy machine."""
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.005, 0.25


def until(
    condition: Callable[[], object],
    seconds: float = DEADLINE_SECONDS,
    *,
    longest_pause: float = LONGEST_PAUSE_SECONDS,
) -> None:
    """Return when the condition holds; check less and less often, as each check costs CPU."""
    for pause in _pauses(seconds, longest_pause):
        if condition():
            return
        time.sleep(pause)


async def until_async(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return when the condition, which is awaited, holds."""
    for pause in _pauses(DEADLINE_SECONDS, LONGEST_PAUSE_SECONDS):
        if await condition():
            return
        await asyncio.sleep(pause)


def _pauses(seconds: float, longest: float) -> Iterator[float]:
    """Yield pauses that grow; fail when the time is over."""
    end, pause = time.monotonic() + seconds, SHORTEST_PAUSE_SECONDS
    while True:
        yield min(longest, pause)
        assert time.monotonic() < end, "waited too long"
        pause = min(longest, 1.5 * pause)
