"""The progress of the running attempt, for the `records` container to print into its log.

A log is cut at 10 MiB, and only its newest part can be read again. So progress takes little of it,
however long a session runs: after a line comes no other for a second, and none for a part of the
session's age. A session of ten days prints about 4,000 lines.
"""

from __future__ import annotations

from pathlib import Path

from enso_operator.sessions.regular_file import piece_of
from job_execution_framework.service_layer.record_line import (
    LONGEST_PROGRESS_BYTES,
    PROGRESS_BEGINS,
)

LINE_SECONDS = 1.0
"""The least time between two lines."""
PART_OF_AGE = 500
"""The least time between two lines is also this part of the session's age."""
LOOK_SECONDS = 0.1
"""How often the file is read."""


class ProgressTail:
    """Reads the file that has the latest progress; returns a line when it has changed."""

    def __init__(self, file: Path, now: float) -> None:
        self._file, self._began, self._look_at = file, now, now
        self._printed: bytes = b""

    def read(self, now: float) -> bytes:
        """Return the line, with its newline; empty where none is due."""
        if now < self._look_at:
            return b""
        self._look_at = now + LOOK_SECONDS
        piece = piece_of(self._file, 0, LONGEST_PROGRESS_BYTES + 1)
        line, newline, _ = piece.partition(b"\n")
        if not newline or line == self._printed or not line.startswith(PROGRESS_BEGINS):
            return b""
        self._printed = line
        self._look_at = now + max(LINE_SECONDS, (now - self._began) / PART_OF_AGE)
        return line + newline

    def repeat(self) -> None:
        """Print the latest line once more, as the whole log is printed again."""
        self._printed = b""
