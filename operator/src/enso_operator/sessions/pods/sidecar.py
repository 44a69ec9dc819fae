"""The `records` container of a session Pod: ``python3 -m …sessions.pods.sidecar RUNTIME RUN``.

It puts the runtime into RUNTIME, where the session waits for it, then prints each record of RUN's
journal as it is written, at times the progress of what runs, and an empty line as a heartbeat. It
is a native sidecar: killed, it is started again and prints everything once more. Its SIGTERM comes
after the session has ended; then it prints the rest. It imports little, as the Pod's start waits
for it.

Scripts can write anything to the journal and to its folder. Lines that are no records are not
printed, and records no more than a correct session writes.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import job_execution_framework
from enso_operator.coordinator.token_bucket import TokenBucket
from enso_operator.sessions.pods.boot import ARCHIVE
from enso_operator.sessions.pods.progress_tail import ProgressTail
from enso_operator.sessions.regular_file import piece_of
from job_execution_framework.service_layer.record_line import (
    BEGINS,
    JOURNAL,
    LONGEST_BYTES,
    PROGRESS,
    Lines,
)

HEARTBEAT_SECONDS = 10.0
SHORTEST_LOOK_SECONDS, LONGEST_LOOK_SECONDS = 0.002, 0.05
LATER = 1.05
"""By what each look that finds nothing is later: at most a twentieth of how long nothing came."""
BEATS_TO_REPEAT = 10_000
"""Heartbeats after which everything is printed again: a log is cut at 10 MiB, and only its newest
part can be read again."""
DRAINED = b"drained\n"
"""The last line: the session has ended, and all its records are printed."""
PIECE_BYTES = 64 * 1024
"""Most bytes of the journal that are read at once."""
AT_ONCE_BYTES = 4 * 1024 * 1024
"""Burst of the rate limit: a whole journal can be printed at once, at the start or at the end."""
BYTES_A_SECOND = 64 * 1024
"""Rate limit beyond that burst."""
LEAST_COST_BYTES = 128
"""A shorter line is counted as so many bytes."""


def main(runtime: str, run: str) -> None:
    """Bring the runtime, then print records until SIGTERM."""
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stopping.append(number))
    bring(Path(runtime))
    tail, beats, pause = Tail(Path(run) / JOURNAL, time.monotonic()), 0, SHORTEST_LOOK_SECONDS
    progress = ProgressTail(Path(run) / PROGRESS, time.monotonic())
    beat_at = time.monotonic() + HEARTBEAT_SECONDS
    while not stopping:
        _print(tail.read(time.monotonic()))
        _print(progress.read(time.monotonic()))
        if time.monotonic() >= beat_at:
            beats, beat_at = beats + 1, time.monotonic() + HEARTBEAT_SECONDS
            if beats % BEATS_TO_REPEAT == 0:
                tail = Tail(tail.journal, time.monotonic())
                progress.repeat()
            _print(b"\n")
        pause = pause_after(pause) if tail.at_end else SHORTEST_LOOK_SECONDS
        time.sleep(pause)
    for text in tail.rest(time.monotonic()):  # what the session wrote is there by now
        _print(text)
    if tail.at_end:
        _print(DRAINED)


def pause_after(pause: float) -> float:
    """Return how long to wait after another look that found nothing."""
    return min(pause * LATER, LONGEST_LOOK_SECONDS)


def bring(target: Path) -> None:
    """Copy the archive with the runtime, which the image has beside the core.

    A session may already use a copy: a restart of this container does not touch it.
    """
    archive, part = target / ARCHIVE.name, target / f"{ARCHIVE.name}.part"
    if archive.exists():
        return
    built = Path(*job_execution_framework.__path__).with_name(ARCHIVE.name)
    if built.exists():
        part.write_bytes(built.read_bytes())
    else:  # this is no image
        from enso_operator.sessions.pods import runtime_archive  # noqa: PLC0415  # slow to import

        runtime_archive.make(part)
    part.rename(archive)


class Tail:
    """Reads the records of a journal once, piece by piece, with a rate limit."""

    def __init__(self, journal: Path, now: float) -> None:
        self.journal = journal
        self.at_end = False
        """Whether the last read reached the end of the journal."""
        self._position, self._lines = 0, Lines(BEGINS)
        self._bucket = TokenBucket(AT_ONCE_BYTES, BYTES_A_SECOND, now)

    def read(self, now: float) -> bytes:
        """Return the next records, each with its newline; empty while the limit is used up."""
        if self._bucket.left(now) <= 0:
            return b""
        piece = piece_of(self.journal, self._position, PIECE_BYTES)
        self._position += len(piece)
        self.at_end = not piece
        lines = self._lines.of(piece)
        records = [line for line in lines if len(line) <= LONGEST_BYTES]
        self._bucket.spend(sum(max(len(record), LEAST_COST_BYTES) for record in records))
        return b"".join(record + b"\n" for record in records)

    def rest(self, now: float) -> Iterator[bytes]:
        """Yield the rest of the journal, but no more than the size of a whole one."""
        self._bucket, self.at_end = TokenBucket(AT_ONCE_BYTES, BYTES_A_SECOND, now), False
        while self._bucket.left(now) > 0 and not self.at_end:
            yield self.read(now)


def _print(text: bytes) -> None:
    rest = memoryview(text)
    while rest:
        rest = rest[os.write(1, rest) :]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
