"""Reads the log of one run's records for its `PodFollower`, no faster than is fair to other jobs.

The end of the log's stream never means the session's end: the log is read again, from its start,
until this is stopped. Each message is posted to the follower's inbox, and nothing more is read
before the follower has given it back to the method for its kind.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from enso_operator.sessions.pods import names
from enso_operator.sessions.pods.inbox import (
    LogLines,
    LogMessage,
    LogUnavailable,
    StreamBegins,
    StreamEnded,
)
from enso_operator.sessions.pods.logs import NoLog, PodLogs
from enso_operator.sessions.pods.records import Records
from job_execution_framework.domain.errors import Unavailable
from job_execution_framework.domain.events import Event

SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.03, 2.0
"""Before the log is read again. A plain loop: what it waits for depends on how reading went."""
STEADY_SECONDS = 1.0
"""A stream that lasted so long is followed by a short pause, whatever was before."""
UNSEEN_SECONDS = 10.0
"""Before a log is asked for although its Pod does not show that there is one."""
RECORDS_A_TURN = 50
"""After so many, other jobs have their turn."""
_log = logging.getLogger(__name__)


@dataclass
class RecordsReader:
    """Reads from `start` to `stop`."""

    logs: PodLogs
    namespace: str
    pod: str
    post: Callable[[LogMessage], None]
    records: Records

    scheduled: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    """The Pod has a node; before that there is nothing to read."""
    begun: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    """The records have a log, as far as the Pod shows, or nothing more will be seen of it."""
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1), init=False)
    """Taken when a message is posted, until the next one may be."""
    _task: asyncio.Task[None] | None = field(default=None, init=False)

    def start(self) -> None:
        """Begin to read."""
        self._task = asyncio.create_task(self._read())

    def stop(self) -> None:
        """Read no more."""
        if self._task:
            self._task.cancel()

    async def _read(self) -> None:
        await self.scheduled.wait()
        pause, now = SHORTEST_PAUSE_SECONDS, asyncio.get_running_loop().time
        while True:
            with suppress(TimeoutError):  # until it has begun, its kubelet would refuse
                await asyncio.wait_for(self.begun.wait(), UNSEEN_SECONDS)
            await self._post(StreamBegins())
            since = now()
            try:
                async for lines in self.logs.follow(self.namespace, self.pod, names.RECORDS):
                    await self._post(LogLines(lines))
                await self._post(StreamEnded())
            except NoLog:
                await self._post(StreamEnded())
            except Unavailable as error:
                await self._post(LogUnavailable(str(error)))
            if now() >= since + STEADY_SECONDS:
                pause = SHORTEST_PAUSE_SECONDS
            await asyncio.sleep(pause)
            pause = min(pause * 1.3, LONGEST_PAUSE_SECONDS)

    async def _post(self, message: LogMessage) -> None:
        await self._room.acquire()
        self.post(message)

    def stream_begins(self) -> None:
        """Take in that the log is read from its start."""
        self._room.release()
        self.records.begin(asyncio.get_running_loop().time())

    async def take(self, lines: list[bytes]) -> list[Event]:
        """Return the new events among some lines."""
        found: list[Event] = []
        for number, line in enumerate(self.records.sift(lines), start=1):
            if event := self.records.take(line):
                found.append(event)
            if number % RECORDS_A_TURN == 0:
                await asyncio.sleep(0)
        if self.records.damage:
            self.stop()  # nothing else in it counts
        loop = asyncio.get_running_loop()
        loop.call_later(self.records.wait(loop.time()), self._room.release)
        return found

    def stream_ended(self) -> None:
        """Take in that the log has told all that it has now."""
        self._room.release()
        self.records.unavailable = ""

    def log_unavailable(self, why: str) -> None:
        """Take in that the log cannot be read, and log it once."""
        self._room.release()
        if why != self.records.unavailable:
            _log.warning("%s/%s: %s", self.namespace, self.pod, why)
        self.records.unavailable = why
