"""Looks again where nothing has changed: some of what a page shows is right for a while only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress


async def renewed(
    changes: AsyncGenerator[None], seconds: Callable[[], float | None]
) -> AsyncGenerator[None]:
    """Yield whenever `changes` does, and when so many seconds have passed since.

    None means that only a change counts.
    """
    while True:
        waiting = asyncio.create_task(_next(changes))
        try:
            while not (await asyncio.wait({waiting}, timeout=seconds()))[0]:
                yield
            if not await waiting:
                return
        finally:
            waiting.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait({waiting})
        yield


async def _next(changes: AsyncGenerator[None]) -> bool:
    """Wait for the next change; return whether there was one, and not the end."""
    async for _ in changes:
        return True
    return False
