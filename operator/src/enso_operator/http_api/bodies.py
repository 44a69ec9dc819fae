"""Large bodies: how many bytes of them are kept at the same time, and how many are worked on.

A body takes a turn only once it has arrived, so whoever sends slowly holds nobody else up.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from starlette.exceptions import HTTPException

LARGEST_BODY_BYTES = 1024 * 1024
LARGE_BODY_BYTES = 64 * 1024
LARGE_BODIES_AT_ONCE = 2
"""Requests with a body above that size that are handled at the same time."""
TURN_SECONDS = 30.0
"""How long a request with a large body may wait until it is handled."""
MOST_BYTES, MOST_BYTES_OF_A_CALLER = 64 * 1024 * 1024, 16 * 1024 * 1024
"""Of all bodies that may be large and are arriving, waiting or handled."""
_TOO_MANY = "too many large bodies come at once: try again later"


class Bodies:
    """Counts them."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(LARGE_BODIES_AT_ONCE)
        self._bytes = Counter[str]()

    @asynccontextmanager
    async def arriving(self, caller: str) -> AsyncGenerator[Callable[[int], None]]:
        """Yield what is told how many bytes have come; it raises HTTPException if there is no room.

        They count until the end of the block.
        """
        taken = 0

        def take(size: int) -> None:
            nonlocal taken
            taken += size
            self._bytes[caller] += size
            if self._bytes[caller] > MOST_BYTES_OF_A_CALLER or self._bytes.total() > MOST_BYTES:
                raise HTTPException(503, _TOO_MANY)

        try:
            yield take
        finally:
            self._bytes[caller] -= taken
            if not self._bytes[caller]:
                del self._bytes[caller]

    @asynccontextmanager
    async def turn(self, size: int) -> AsyncGenerator[None]:
        """Wait until a body of this size may be handled; raise HTTPException after TURN_SECONDS."""
        if size <= LARGE_BODY_BYTES:
            yield
            return
        try:
            await asyncio.wait_for(self._turns.acquire(), TURN_SECONDS)
        except TimeoutError:
            raise HTTPException(503, _TOO_MANY) from None
        try:
            yield
        finally:
            self._turns.release()
