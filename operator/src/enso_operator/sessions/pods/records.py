"""Takes each new record once from the log of a session Pod's records container, within limits.

`records_reader.py` reads the log, repeatedly from its start, and gives its lines to `Records`. The
records container limits what it prints, but the cost of a log is bounded here as well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from enso_operator.coordinator.token_bucket import TokenBucket
from enso_operator.sessions.pods.sidecar import DRAINED
from job_execution_framework.domain.errors import Unreadable
from job_execution_framework.domain.events import Event
from job_execution_framework.domain.progress import Progress
from job_execution_framework.service_layer import progress_line
from job_execution_framework.service_layer.record_line import (
    BEGINS,
    LONGEST_BYTES,
    PROGRESS_BEGINS,
)
from job_execution_framework.service_layer.records import End, from_line

AT_ONCE, A_SECOND = 16 * 1024 * 1024, 1024 * 1024
"""Rate limit of reading a log, in bytes: the burst from its start, and the rate per second."""
COST_OF_A_LINE = 46
"""Bytes of the time stamp and stream name that a node writes before each line."""
COST_OF_A_RECORD, COST_OF_ITS_BYTES = 16384, 16
"""Cost of a new record, and of each of its bytes, in bytes of reading: parsing and folding take
time. The limits allow 800 usual records at once, then 50 a second."""
NOISE_BYTES = 1024 * 1024
"""Most bytes of lines that are no records; the heartbeats of four months have as many."""
_SEQ = re.compile(rb'\{"v":1,"type":"\w+","at":[-+.\w]+,"origin":"[^"\\]*","seq":([0-9]{1,15})[,}]')
"""The start of a record with a sequence number."""
_DRAINED = DRAINED.rstrip()


@dataclass
class Records:
    """The state of reading the records of one session run."""

    seq: int = 0
    """Number of the last event that was returned."""
    end: End | None = field(default=None, init=False)
    """The final record."""
    drained: bool = field(default=False, init=False)
    """Whether the log said that the session has ended and all its records are printed."""
    gap: bool = field(default=False, init=False)
    """Whether records are missing because the log was cut; the summary may have their outcomes."""
    progress: Progress | None = field(default=None, init=False)
    """The latest progress that the log has; a log that is read again repeats older ones."""
    damage: str = field(default="", init=False)
    """Why a line cannot be a session's; all later lines are ignored."""
    unavailable: str = field(default="", init=False)
    """The API server's message while the log cannot be read; else ""."""
    _bucket: TokenBucket = field(init=False)
    _noise: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.begin(0)

    def begin(self, now: float) -> None:
        """Start again with the first line of the log."""
        if self.gap:
            self.end, self.drained = None, False
        self.gap, self._noise = False, 0
        self._bucket = TokenBucket(AT_ONCE, A_SECOND, now)

    def wait(self, now: float) -> float:
        """Return the seconds until more may be read."""
        return self._bucket.wait(now)

    def sift(self, lines: Sequence[bytes]) -> list[bytes]:
        """Return the lines that look like records, or end the log; take the latest progress."""
        wanted = [line for line in lines if line.startswith(BEGINS) or line == _DRAINED]
        progress = [line for line in lines if line.startswith(PROGRESS_BEGINS)]
        size, known = sum(map(len, lines)), [*wanted, *progress]
        self._noise += len(lines) - len(known) + size - sum(map(len, known))
        self._bucket.spend(size + COST_OF_A_LINE * len(lines))
        for line in progress[-1:]:
            self._take_progress(line)
        if self._noise > NOISE_BYTES and not self.damage:
            self.damage = f"it holds more than {NOISE_BYTES} bytes that are no records"
        return wanted

    def _take_progress(self, line: bytes) -> None:
        self._bucket.spend(COST_OF_ITS_BYTES * len(line))
        found = progress_line.from_line(line)
        if found and found.number > (self.progress.number if self.progress else 0):
            self.progress = found

    def take(self, line: bytes) -> Event | None:
        """Process one line; return its event, if the event is new."""
        if self.damage:
            return None
        if line == _DRAINED:
            self.drained = True
            return None
        if (known := _SEQ.match(line)) and int(known[1]) <= self.seq:
            return None
        self._bucket.spend(COST_OF_A_RECORD + COST_OF_ITS_BYTES * len(line))
        try:
            record = _read(line)
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
        """Whether all records of the session were read."""
        return (self.drained or self.end is not None) and not self.gap and not self.damage


def _read(line: bytes) -> Event | End:
    if len(line) > LONGEST_BYTES:
        raise Unreadable(f"a record of more than {LONGEST_BYTES} bytes")
    return from_line(line)
