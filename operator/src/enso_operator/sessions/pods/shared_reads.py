"""When the Events of a namespace are read, for all of its Pods of which they may say something.

One read serves all of them, and the next one is the later the longer it took: however many Pods
there are, and however many Events, these reads take little of the API server's time. `VolumeWait`
and `KubeletEnd` join, on the event loop.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field

from enso_operator.blocking import turn_of
from enso_operator.kube.client import Refused
from enso_operator.sessions.pods.pod_warnings import NOTHING, Warned
from job_execution_framework.domain.errors import EnsoError

MOST_OF_A_FAILURE_SECONDS = 1.0
"""A read that failed counts as one of so long at most, as the API server may be back at once."""
Read = Callable[[str, Collection[str]], Awaitable[dict[str, Warned]]]
"""Returns what Events say of Pods of a namespace, by uid."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pace:
    """How soon a Pod is served."""

    first_look: float
    """After so many seconds it wants a first read."""
    shortest_pause: float
    """There is no read for it so soon after another one of the namespace, in seconds."""
    times_as_long: float
    """Nor before so many times as long as that one took."""
    longest_pause: float
    """The longest pause, in seconds, until it wants another read."""


FOR_A_VOLUME = Pace(first_look=3.0, shortest_pause=3.0, times_as_long=20, longest_pause=60.0)
FOR_AN_END = Pace(first_look=0.0, shortest_pause=0.5, times_as_long=4, longest_pause=5.0)
"""Its job stands still until the read."""


@dataclass(eq=False)
class Waiter:
    """A Pod that waits for what Events say of it."""

    uid: str
    since: float
    pace: Pace
    on_news: Callable[[], None]
    reader: _Reader
    warned: Warned = NOTHING
    """What was found last."""
    is_served: bool = False
    """Whether Events were read since it joined, or may not be read."""
    looked: float = field(init=False)

    def __post_init__(self) -> None:
        self.looked = self.since

    @property
    def due(self) -> float:
        """When it wants the next read: ever more seldom, the longer it waits."""
        passed = self.looked - self.since
        return self.looked + min(max(self.pace.first_look, passed), self.pace.longest_pause)

    def take(self, warned: Warned | None) -> None:
        """Take the result of a read, None where it has nothing of this Pod (any more)."""
        before = self.warned, self.is_served
        self.warned, self.is_served = warned or self.warned, True
        if before != (self.warned, self.is_served):
            self.on_news()

    def leave(self) -> None:
        """Wait no longer."""
        self.reader.leave(self)


class SharedReads:
    """The reads of all namespaces."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._readers: dict[str, _Reader] = {}

    def join(self, namespace: str, uid: str, pace: Pace, on_news: Callable[[], None]) -> Waiter:
        """Have Events read as long as a Pod waits.

        `on_news` is called after the first read, and when a later one says something else.
        """
        reader = self._readers.get(namespace)
        if reader is None:
            self._readers = {name: one for name, one in self._readers.items() if one.is_needed}
            reader = self._readers[namespace] = _Reader(namespace, self._read)
        return reader.join(uid, pace, on_news)


class _Reader:
    """Reads the Events of one namespace."""

    def __init__(self, namespace: str, read: Read) -> None:
        self._namespace, self._read = namespace, read
        self._waiters: dict[Waiter, None] = {}
        self._last_end, self._last_took = -math.inf, 0.0
        """When the last read ended, and how long it took."""
        self._timer: asyncio.TimerHandle | None = None
        self._reading: asyncio.Task[None] | None = None
        self._is_told = False
        """Whether the log has it that the Events cannot be read."""

    @property
    def is_needed(self) -> bool:
        """Whether a Pod waits, or the pause after the last read is not over."""
        now = asyncio.get_running_loop().time()
        return bool(self._waiters or self._reading) or now < self._free_at(FOR_A_VOLUME)

    def join(self, uid: str, pace: Pace, on_news: Callable[[], None]) -> Waiter:
        """Take a Pod in."""
        waiter = Waiter(uid, asyncio.get_running_loop().time(), pace, on_news, self)
        self._waiters[waiter] = None
        if not self._reading:
            self._read_at(self._turn_of(waiter))
        return waiter

    def leave(self, waiter: Waiter) -> None:
        """Let a Pod go."""
        self._waiters.pop(waiter, None)
        if self._timer and not self._waiters:
            self._timer.cancel()
            self._timer = None

    def _free_at(self, pace: Pace) -> float:
        """Return when the pause after the last read is over."""
        return self._last_end + max(pace.shortest_pause, pace.times_as_long * self._last_took)

    def _turn_of(self, waiter: Waiter) -> float:
        """Return when the next read for this Pod is."""
        return max(waiter.due, self._free_at(waiter.pace))

    def _read_at(self, when: float) -> None:
        """Read then, unless a read is to come before."""
        if self._timer and self._timer.when() <= when:
            return
        if self._timer:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(when, self._begin, when)

    def _begin(self, when: float) -> None:
        self._timer = None
        turn = min(map(self._turn_of, self._waiters))
        if turn > when:  # the Pod for which this was to be has left
            self._read_at(turn)
        else:
            self._reading = asyncio.create_task(self._read_once())

    async def _read_once(self) -> None:
        turn_of.set("")  # it is no single job's call
        loop, waiters = asyncio.get_running_loop(), [*self._waiters]
        began, found = loop.time(), dict[str, Warned]()
        is_answered = False
        try:
            found = await self._read(self._namespace, {waiter.uid for waiter in waiters})
            is_answered, self._is_told = True, False
        except EnsoError as error:
            is_answered = isinstance(error, Refused)  # nobody knows when that changes
            if not self._is_told:
                _log.warning("Events of Pods in %s cannot be read: %s", self._namespace, error)
            self._is_told = True
        except Exception:  # noqa: BLE001  # whoever waits is served by a later read
            _log.exception("Events of Pods in %s cannot be read", self._namespace)
        finally:
            took = loop.time() - began
            self._last_end = loop.time()
            self._last_took = took if is_answered else min(took, MOST_OF_A_FAILURE_SECONDS)
            for waiter in waiters:
                waiter.looked = self._last_end
            self._reading = None
            if self._waiters:
                self._read_at(min(map(self._turn_of, self._waiters)))
        for waiter in waiters:
            if is_answered and waiter in self._waiters:
                waiter.take(found.get(waiter.uid))
