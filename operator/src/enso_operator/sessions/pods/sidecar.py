"""The `records` container of a session Pod: ``python3 -m …sessions.pods.sidecar RUNTIME RUN``.

It puts the runtime into RUNTIME, where the session waits for it, then prints each record of RUN's
journal as it is written, and an empty line as a heartbeat. It is a native sidecar: killed, it is
started again and prints everything once more; its SIGTERM comes after the session has ended, and
then it prints the rest. It imports little: a Pod's start waits for it.

Scripts can write to the journal, and to its folder, whatever they like. What is no record is not
printed, and of what looks like one no more than an honest session ever writes.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from enso_operator.coordinator.token_bucket import TokenBucket
from job_execution_framework.service_layer.record_line import BEGINS, JOURNAL, LONGEST_BYTES, Lines

READY = "ready"
PACKAGE = "job_execution_framework"
HEARTBEAT_SECONDS = 10.0
SHORTEST_LOOK_SECONDS, LONGEST_LOOK_SECONDS = 0.002, 0.05
BEATS_TO_REPEAT = 10_000
"""Heartbeats after which everything is printed again: a log is cut at 10 MiB, and only its newest
part can be read again."""
DRAINED = b"drained\n"
"""The last line: the session has ended, and what stands above is all that it wrote."""
PIECE_BYTES = 64 * 1024
"""What is read of the journal at once."""
AT_ONCE_BYTES = 4 * 1024 * 1024
"""What is printed as fast as it can be read: a whole journal, after a start and at the end."""
BYTES_A_SECOND = 64 * 1024
"""What is printed a second beyond that."""
LEAST_COST_BYTES = 128
"""What a shorter line counts for: reading it costs as much."""


def main(runtime: str, run: str) -> None:
    """Bring the runtime, then print records until SIGTERM."""
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stopping.append(number))
    bring(Path(runtime))
    tail, pause, beats = Tail(Path(run) / JOURNAL, time.monotonic()), 0.0, 0
    beat_at = time.monotonic() + HEARTBEAT_SECONDS
    while not stopping:
        _print(tail.read(time.monotonic()))
        if time.monotonic() >= beat_at:
            beats, beat_at = beats + 1, time.monotonic() + HEARTBEAT_SECONDS
            if beats % BEATS_TO_REPEAT == 0:
                tail = Tail(tail.journal, time.monotonic())
            _print(b"\n")
        pause = min(pause * 1.2, LONGEST_LOOK_SECONDS) if tail.at_end else 0.0
        time.sleep(max(pause, SHORTEST_LOOK_SECONDS))
    for text in tail.rest(time.monotonic()):  # what the session wrote is there by now
        _print(text)
    if tail.at_end:
        _print(DRAINED)


def bring(target: Path) -> None:
    """Copy the core, with what Python compiled of it, and say when it is whole.

    Once it is, a session may be reading it: a second start of this container leaves it alone.
    """
    if (target / READY).exists():
        return
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(f"{PACKAGE} is not installed beside the operator")
    shutil.copytree(found.submodule_search_locations[0], target / PACKAGE, dirs_exist_ok=True)
    (target / READY).touch()


class Tail:
    """The records of a journal, read once, piece by piece, no faster than anybody may print."""

    def __init__(self, journal: Path, now: float) -> None:
        self.journal = journal
        self.at_end = False
        """All that the journal had was read, the last time that it was looked at."""
        self._position, self._lines = 0, Lines(BEGINS)
        self._bucket = TokenBucket(AT_ONCE_BYTES, BYTES_A_SECOND, now)

    def read(self, now: float) -> bytes:
        """Return the next records, each with its newline; nothing where it would be too much."""
        if self._bucket.left(now) <= 0:
            return b""
        piece = self._piece()
        self._position += len(piece)
        self.at_end = not piece
        lines = self._lines.of(piece)
        records = [line for line in lines if len(line) <= LONGEST_BYTES]
        self._bucket.spend(sum(max(len(record), LEAST_COST_BYTES) for record in records))
        return b"".join(record + b"\n" for record in records)

    def rest(self, now: float) -> Iterator[bytes]:
        """Return what is left, to the end, unless that is more than a whole journal."""
        self._bucket, self.at_end = TokenBucket(AT_ONCE_BYTES, BYTES_A_SECOND, now), False
        while self._bucket.left(now) > 0 and not self.at_end:
            yield self.read(now)

    def _piece(self) -> bytes:
        """Return what comes next, nothing where the journal's name is not that of a file."""
        how = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            file = os.open(self.journal, how)
        except OSError:
            return b""  # there is none yet, or a script took it away: that harms its own job
        try:
            is_file = stat.S_ISREG(os.fstat(file).st_mode)
            return os.pread(file, PIECE_BYTES, self._position) if is_file else b""
        finally:
            os.close(file)


def _print(text: bytes) -> None:
    rest = memoryview(text)
    while rest:
        rest = rest[os.write(1, rest) :]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
