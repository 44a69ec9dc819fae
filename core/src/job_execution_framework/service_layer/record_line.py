"""What a line must be to be read as a record at all, and lines out of bytes as they come.

It imports nothing: the container that prints records starts with every Pod.
"""

from __future__ import annotations

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
