"""What the journal of a session is called, which of its lines can be records, and how it is read.

Used by the supervisor, which writes the journal, and by whoever reads it: local sessions and the
`records` container of a Pod. It imports nothing, because that container starts with every Pod.
"""

from __future__ import annotations

JOURNAL = "journal"
"""The file in a session run's folder that its records are appended to."""
BEGINS = b'{"v":'
"""How every record begins."""
LONGEST_BYTES = 64 * 1024
"""Bytes of the longest record, without its newline."""


class Lines:
    """Splits bytes that come piece by piece into lines, in linear time.

    A line that is too long for a record is returned in parts, so that little is kept in memory.
    Each part is too long as well, and the last one is left out.
    """

    def __init__(self) -> None:
        self._unfinished, self._is_skipping = b"", False

    def of(self, piece: bytes) -> list[bytes]:
        """Return the lines that end in this piece, without their newlines."""
        *lines, self._unfinished = (self._unfinished + piece).split(b"\n")
        if lines and self._is_skipping:  # the rest of a line whose parts were returned
            lines, self._is_skipping = lines[1:], False
        if len(self._unfinished) > LONGEST_BYTES:
            lines.append(self._unfinished)
            self._unfinished, self._is_skipping = b"", True
        return lines
