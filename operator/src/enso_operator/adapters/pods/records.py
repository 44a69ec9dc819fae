"""The records of a session Pod, read from the log of its records container, as often as need be.

The end of the log's stream never means the session's end: the log is read again, from its start,
until the session is known to have ended. What was passed on before is passed on once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from enso_operator.adapters.pods import names
from enso_operator.adapters.pods.logs import NoLog, PodLogs
from enso_operator.sidecar import DRAINED
from job_execution_framework.domain.errors import Unavailable, Unreadable
from job_execution_framework.domain.events import Event
from job_execution_framework.service_layer.records import End, from_line

RECORD = b'{"v":'
"""What every record begins with; all else in a log is not for us."""
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.03, 2.0
UNSEEN_SECONDS = 10.0
"""Before a log is asked for although its Pod does not show that there is one."""


@dataclass
class Records:
    """What is known of the records of one session run."""

    seq: int = field(default=0, init=False)
    """Number of the last event that was passed on."""
    end: End | None = field(default=None, init=False)
    """The final record."""
    drained: bool = field(default=False, init=False)
    """The log holds all that the session wrote, and it has ended."""
    gap: bool = field(default=False, init=False)
    """The log was cut: what is missing may be in the session's summary."""
    damage: str = field(default="", init=False)
    """What is not a record although it should be: nothing after it is believed."""

    def begin(self) -> None:
        """Know that the log is read from its start."""
        self.gap = False

    def take(self, line: bytes) -> Event | None:
        """Take in one line; return the event that it holds, if it is a new one."""
        if line + b"\n" == DRAINED:
            self.drained = True
        if not line.startswith(RECORD) or self.damage:
            return None
        try:
            record = from_line(line)
        except Unreadable as error:
            self.damage = str(error)
            return None
        if isinstance(record, End):
            self.end = record
        elif record.seq > self.seq + 1:
            self.gap = True
        elif record.seq == self.seq + 1:
            self.seq = record.seq
            return record
        return None

    @property
    def complete(self) -> bool:
        """Whether nothing that the session recorded is missing."""
        return (self.drained or self.end is not None) and not self.gap and not self.damage


@dataclass(frozen=True)
class Stream:
    """The log begins to be read, or its stream has ended."""

    begins: bool


async def read(
    logs: PodLogs,
    namespace: str,
    pod: str,
    heard: Callable[[bytes | Stream], None],
    begun: asyncio.Event,
) -> None:
    """Pass on the lines of the Pod's records, again and again from the start, until cancelled.

    Until their container is seen to have `begun` that is tried seldom: its kubelet would refuse.
    """
    pause = SHORTEST_PAUSE_SECONDS
    while True:
        with suppress(TimeoutError):
            await asyncio.wait_for(begun.wait(), UNSEEN_SECONDS)
        heard(Stream(begins=True))
        try:
            async for line in logs.follow(namespace, pod, names.RECORDS):
                pause = SHORTEST_PAUSE_SECONDS
                heard(line)
            heard(Stream(begins=False))
        except NoLog:
            heard(Stream(begins=False))
        except Unavailable:
            pass  # the API server or the kubelet is away: that tells nothing of the log
        await asyncio.sleep(pause)
        pause = min(pause * 1.3, LONGEST_PAUSE_SECONDS)
