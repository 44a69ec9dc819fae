"""What the log of a session Pod's records container holds: each new record once, within limits.

`records_reader.py` reads the log, as often as need be, and gives its lines to `Records`. Our own
container prints the log, and lets no flood through. It is not relied on: what a log may cost is
bounded here as well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from enso_operator.coordinator.token_bucket import TokenBucket
from enso_operator.sessions.pods.sidecar import DRAINED
from job_execution_framework.domain.errors import Unreadable
from job_execution_framework.domain.events import Event
from job_execution_framework.service_layer.record_line import BEGINS, LONGEST_BYTES
from job_execution_framework.service_layer.records import End, from_line

AT_ONCE, A_SECOND = 16 * 1024 * 1024, 1024 * 1024
"""What reading a log may cost, from its start on and then each second: in bytes of the log."""
COST_OF_A_LINE = 46
"""What a node writes before each line."""
COST_OF_A_RECORD, COST_OF_ITS_BYTES = 16384, 16
"""What a new record costs, in the time in which bytes could be read: it is taken apart, folded,
logged. 800 usual ones are taken at once, and then 50 a second: few sessions ever get there."""
NOISE_BYTES = 1024 * 1024
"""What is no record, at most, with its newlines: of heartbeats those of four months."""
_SEQ = re.compile(rb'\{"v":1,"type":"\w+","at":[-+.\w]+,"origin":"[^"\\]*","seq":([0-9]{1,15})[,}]')
"""How a record begins that has a number."""
_DRAINED = DRAINED.rstrip()


@dataclass
class Records:
    """What is known of the records of one session run."""

    seq: int = 0
    """Number of the last event that was passed on."""
    end: End | None = field(default=None, init=False)
    """The final record."""
    drained: bool = field(default=False, init=False)
    """The log holds all that the session wrote, and it has ended."""
    gap: bool = field(default=False, init=False)
    """The log was cut: what is missing may be in the session's summary."""
    damage: str = field(default="", init=False)
    """What is not as a session writes it: nothing after it is believed."""
    unavailable: str = field(default="", init=False)
    """Why the log cannot be read, in the API server's words, while it cannot."""
    _bucket: TokenBucket = field(init=False)
    _noise: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.begin(0)

    def begin(self, now: float) -> None:
        """Know that the log is read from its start; how it ends is not known where it was cut."""
        if self.gap:
            self.end, self.drained = None, False
        self.gap, self._noise = False, 0
        self._bucket = TokenBucket(AT_ONCE, A_SECOND, now)

    def wait(self, now: float) -> float:
        """Return the seconds until more may be read."""
        return self._bucket.wait(now)

    def sift(self, lines: Sequence[bytes]) -> list[bytes]:
        """Return the lines that are records, or that end the log; all else in it is not for us."""
        wanted = [line for line in lines if line.startswith(BEGINS) or line == _DRAINED]
        size = sum(map(len, lines))
        self._noise += len(lines) - len(wanted) + size - sum(map(len, wanted))
        self._bucket.spend(size + COST_OF_A_LINE * len(lines))
        if self._noise > NOISE_BYTES and not self.damage:
            self.damage = f"it holds more than {NOISE_BYTES} bytes that are no records"
        return wanted

    def take(self, line: bytes) -> Event | None:
        """Take in one line; return the event that it holds, if it is a new one."""
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
        """Whether nothing that the session recorded is missing."""
        return (self.drained or self.end is not None) and not self.gap and not self.damage


def _read(line: bytes) -> Event | End:
    if len(line) > LONGEST_BYTES:
        raise Unreadable(f"a record of more than {LONGEST_BYTES} bytes")
    return from_line(line)
