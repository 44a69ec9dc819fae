"""Those who read an answer that goes on for long: how many there are, and when one leaves."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from typing import Any

from starlette.types import Receive

from enso_operator.http_api.port import Busy


class Places:
    """Places for readers: so many in all, and so many of them for one caller."""

    def __init__(self, most: int, most_of_one: int, what: str) -> None:
        """`what` stands behind the number of readers in the sentence that refuses one."""
        self._most, self._most_of_one, self._what = most, most_of_one, what
        self._taken = Counter[str]()

    @contextmanager
    def taken(self, key: str) -> Generator[None]:
        """Hold a place of this caller; raise Busy where there is none.

        Where nobody is asked who they are, the key is "", and only the number of all counts.
        """
        total, own = self._taken.total(), self._taken[key]
        if total >= self._most:
            raise Busy(f"{total} {self._what} at this moment: try again later")
        if key and own >= self._most_of_one:
            raise Busy(f"{own} {self._what} for you at this moment: close some, and try again")
        self._taken[key] += 1
        try:
            yield
        finally:
            self._taken[key] -= 1
            if not self._taken[key]:
                del self._taken[key]


async def leaving(receive: Receive) -> None:
    """Return when the reader has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def until_left(
    receive: Receive, work: Coroutine[Any, Any, None], ends: asyncio.Event | None = None
) -> bool:
    """Do the work, but only for as long as its reader is there, and the server does not end it.

    Return whether the server did: the reader still waits for the end.
    """
    working = asyncio.create_task(work)
    left = asyncio.create_task(leaving(receive))
    ending = asyncio.create_task((ends or asyncio.Event()).wait())
    tasks = working, left, ending
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        is_done, has_left = working.done(), left.done()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    if is_done:
        working.result()  # raises what it raised
    return not is_done and not has_left
