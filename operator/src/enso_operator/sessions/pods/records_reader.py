"""Reads the log of one run's records for its `PodFollower`, with a rate limit.

The end of the log's stream does not mean the end of the session: the log is read again from its
start until `stop`. Each message is put into the follower's inbox, and reading goes on only after
the follower has passed the message to the method for its type.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing, suppress
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
"""Bounds of the pause before the log is read again."""
STEADY_SECONDS = 1.0
"""A stream that lasted so long resets the pause to the shortest one."""
UNSEEN_SECONDS = 10.0
"""Wait before a log is requested although its Pod does not show that the container has begun."""
RECORDS_A_TURN = 50
"""Records that are processed before other jobs may run."""
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
    """Set when the Pod has a node; before that there is no log."""
    begun: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    """Set when the Pod shows that the records container has begun, or when the Pod is gone."""
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1), init=False)
    """Held from the posting of a message until the follower has processed it."""
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
                # Python 3.11's wait_for forgets a cancellation that comes with what it waits for.
                async with asyncio.timeout(UNSEEN_SECONDS):
                    await self.begun.wait()
            await self._post(StreamBegins())
            since = now()
            try:
                log = self.logs.follow(self.namespace, self.pod, names.RECORDS)
                async with aclosing(log) as stream:
                    async for lines in stream:
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
        """Process the start of a stream."""
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
            self.stop()
        loop = asyncio.get_running_loop()
        loop.call_later(self.records.wait(loop.time()), self._room.release)
        return found

    def stream_ended(self) -> None:
        """Process the end of a stream."""
        self._room.release()
        self.records.unavailable = ""

    def log_unavailable(self, why: str) -> None:
        """Remember that the log cannot be read, and log a warning once."""
        self._room.release()
        if why != self.records.unavailable:
            _log.warning("%s/%s: %s", self.namespace, self.pod, why)
        self.records.unavailable = why
