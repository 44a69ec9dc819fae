"""Reads logs to their end of which nothing more is needed, so that the next one can begin there.

A session's last record is read before its container has ended, and so before the stream of its log
has. Whoever leaves then closes the connection, and the next log needs one of its own: with TLS that
costs the operator 1.4 ms of CPU more, and the API server as much.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import aiohttp

LONGEST_SECONDS, MOST_BYTES = 3.0, 64 * 1024
"""How long, and how much, is read. A kubelet ends a log some two seconds after its last record, as
it sees that its container has ended; a log that goes on is closed, with its connection."""


class LogEnds:
    """Logs that are about to end. Use and close it within one event loop."""

    def __init__(self) -> None:
        self._reading = set[asyncio.Task[None]]()

    def leave(self, answer: aiohttp.ClientResponse) -> None:
        """Take over an answer; nobody else reads it any more."""
        if answer.connection is None:  # it has ended, or was lost
            return
        task = asyncio.create_task(_read(answer))
        self._reading.add(task)

        def end(task: asyncio.Task[None]) -> None:  # also of one that was cancelled at once
            self._reading.discard(task)
            answer.release()  # closes the connection where more is to come

        task.add_done_callback(end)

    async def close(self) -> None:
        """Close the connections of all that have not ended."""
        for task in self._reading:
            task.cancel()
        await asyncio.gather(*self._reading, return_exceptions=True)


async def _read(answer: aiohttp.ClientResponse) -> None:
    left = MOST_BYTES
    with suppress(aiohttp.ClientError, TimeoutError, OSError):
        async with asyncio.timeout(LONGEST_SECONDS):
            while left > 0 and (piece := await answer.content.read(left)):
                left -= len(piece)
