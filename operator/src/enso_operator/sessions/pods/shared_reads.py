"""When the Events of a namespace are read, for all of its Pods that wait for their volumes.

One read serves all of them, and the next one is the later the longer it took: however many Pods
wait, and however many Events there are, these reads take little of the API server's time.
`VolumeWait` joins, on the event loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field

from enso_operator.blocking import turn_of
from enso_operator.sessions.pods.volume_events import Why
from job_execution_framework.domain.errors import EnsoError

FIRST_LOOK_SECONDS, LONGEST_PAUSE_SECONDS = 3.0, 60.0
"""After so long a Pod wants a first read; the longest pause until it wants another."""
TIMES_AS_LONG = 20
"""The pause of a namespace is at least so many times as long as its last read took."""
Read = Callable[[str, Collection[str]], Awaitable[dict[str, Why]]]
"""Returns why Pods of a namespace wait, by uid."""
_log = logging.getLogger(__name__)


@dataclass(eq=False)
class Waiter:
    """A Pod that waits for its volumes."""

    uid: str
    since: float
    on_found: Callable[[], None]
    reader: _Reader
    why: Why | None = None
    """What was found last."""
    looked: float = field(init=False)

    def __post_init__(self) -> None:
        self.looked = self.since

    @property
    def due(self) -> float:
        """When it wants the next read: ever more seldom, the longer it waits."""
        passed = self.looked - self.since
        return self.looked + min(max(FIRST_LOOK_SECONDS, passed), LONGEST_PAUSE_SECONDS)

    def leave(self) -> None:
        """Wait no longer."""
        self.reader.leave(self)


class SharedReads:
    """The reads of all namespaces."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._readers: dict[str, _Reader] = {}

    def join(self, namespace: str, uid: str, on_found: Callable[[], None]) -> Waiter:
        """Have Events read as long as a Pod waits; `on_found` is called when they say why."""
        reader = self._readers.get(namespace)
        if reader is None:
            self._readers = {name: one for name, one in self._readers.items() if one.is_needed}
            reader = self._readers[namespace] = _Reader(namespace, self._read)
        return reader.join(uid, on_found)


class _Reader:
    """Reads the Events of one namespace."""

    def __init__(self, namespace: str, read: Read) -> None:
        self._namespace, self._read = namespace, read
        self._waiters: dict[Waiter, None] = {}
        self._earliest = 0.0
        """Before that there is no further read."""
        self._timer: asyncio.TimerHandle | None = None
        self._reading: asyncio.Task[None] | None = None
        self._is_told = False
        """Whether the log has it that the Events cannot be read."""

    @property
    def is_needed(self) -> bool:
        """Whether a Pod waits, or the pause after the last read is not over."""
        now = asyncio.get_running_loop().time()
        return bool(self._waiters or self._reading) or now < self._earliest

    def join(self, uid: str, on_found: Callable[[], None]) -> Waiter:
        """Take a Pod in."""
        waiter = Waiter(uid, asyncio.get_running_loop().time(), on_found, self)
        self._waiters[waiter] = None
        if not self._reading:
            self._read_at(waiter.due)
        return waiter

    def leave(self, waiter: Waiter) -> None:
        """Let a Pod go."""
        self._waiters.pop(waiter, None)
        if self._timer and not self._waiters:
            self._timer.cancel()
            self._timer = None

    def _read_at(self, due: float) -> None:
        """Read then, or when the pause is over, unless a read is to come before."""
        when = max(due, self._earliest)
        if self._timer and self._timer.when() <= when:
            return
        if self._timer:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(when, self._begin, when)

    def _begin(self, when: float) -> None:
        self._timer = None
        due = min(waiter.due for waiter in self._waiters)
        if due > when:  # the Pod for which this was to be has left
            self._read_at(due)
        else:
            self._reading = asyncio.create_task(self._read_once())

    async def _read_once(self) -> None:
        turn_of.set("")  # it is no single job's call
        loop, waiters = asyncio.get_running_loop(), [*self._waiters]
        began, found = loop.time(), dict[str, Why]()
        try:
            found = await self._read(self._namespace, {waiter.uid for waiter in waiters})
            self._is_told = False
        except EnsoError as error:
            if not self._is_told:
                where = self._namespace
                _log.warning("Pods in %s do not begin, and Events cannot be read: %s", where, error)
            self._is_told = True
        finally:
            now = loop.time()
            self._earliest = now + max(FIRST_LOOK_SECONDS, TIMES_AS_LONG * (now - began))
            for waiter in waiters:
                waiter.looked = now
            self._reading = None
            if self._waiters:
                self._read_at(min(waiter.due for waiter in self._waiters))
        for waiter in waiters:
            why = found.get(waiter.uid, waiter.why)
            if waiter in self._waiters and why != waiter.why:
                waiter.why = why
                waiter.on_found()
