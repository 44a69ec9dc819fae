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
    """Whole lines out of bytes that come piece by piece, in time that grows with their number.

    A line that is too long to be a record is told in parts, all of which are too long as well, but
    for the last one, which is left out.
    """

    def __init__(self) -> None:
        self._begun, self._skips = b"", False

    def of(self, piece: bytes) -> list[bytes]:
        """Return the lines that end in this piece, without their newlines."""
        *lines, self._begun = (self._begun + piece).split(b"\n")
        if lines and self._skips:  # the rest of a line that was told before
            lines, self._skips = lines[1:], False
        if len(self._begun) > LONGEST_BYTES:
            lines.append(self._begun)
            self._begun, self._skips = b"", True
        return lines
