"""Hears the log of one run's records: as fast as they can be used, and no faster than is fair."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from enso_operator.sessions.pods import records
from enso_operator.sessions.pods.logs import PodLogs
from enso_operator.sessions.pods.records import News, Records, Stream, Unheard
from job_execution_framework.domain.events import Event

RECORDS_A_TURN = 50
"""After so many, other jobs have their turn."""
_log = logging.getLogger(__name__)


@dataclass
class Hearing:
    """What is heard is handed on, and given back to `lines` or `word` when its turn has come."""

    logs: PodLogs
    namespace: str
    pod: str
    hand_on: Callable[[News], None]
    records: Records

    scheduled: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    """The Pod has a node; before that there is nothing to be heard."""
    begun: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    """The records have a log, as far as the Pod shows, or nothing more will be seen of it."""
    trouble: str = field(default="", init=False)
    """Why the log cannot be read, in the API server's words, while it cannot."""
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1), init=False)
    """Taken from when something is handed on until more may be."""
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
        await records.read(self.logs, self.namespace, self.pod, self._hear, self.begun)

    async def _hear(self, news: News) -> None:
        await self._room.acquire()
        self.hand_on(news)

    async def lines(self, lines: list[bytes]) -> list[Event]:
        """Return the new events among some lines."""
        found: list[Event] = []
        for number, line in enumerate(self.records.sift(lines), start=1):
            if event := self.records.take(line):
                found.append(event)
            if number % RECORDS_A_TURN == 0:
                await asyncio.sleep(0)
        if self.records.damage:
            self.stop()  # nothing else that it says counts
        loop = asyncio.get_running_loop()
        loop.call_later(self.records.wait(loop.time()), self._room.release)
        return found

    def word(self, news: Stream | Unheard) -> bool:
        """Take in how the reading goes; return whether the log has told all that it has now."""
        self._room.release()
        if isinstance(news, Unheard):
            if news.why != self.trouble:
                _log.warning("%s/%s: %s", self.namespace, self.pod, news.why)
            self.trouble = news.why
            return False
        if news.begins:
            self.records.begin(asyncio.get_running_loop().time())
            return False
        self.trouble = ""
        return True
