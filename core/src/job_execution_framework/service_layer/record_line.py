"""The files of a session's journal and progress, how their lines begin, and a splitter into lines.

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
PROGRESS = "progress"
"""The file beside the journal that has the progress of the running attempt, as one line."""
PROGRESS_BEGINS = b"progress "
"""How that line begins."""
LONGEST_PROGRESS_BYTES = 2048
"""Bytes of the longest such line, without its newline."""


class Lines:
    """Splits bytes that come piece by piece into lines, in linear time.

    With `begins`, only lines that begin so are returned, and those between them cost next to
    nothing, however many they are. A line that is too long for a record is returned in parts, so
    that little is kept in memory. Each part is too long as well, and the last one is left out.
    """

    def __init__(self, begins: bytes = b"") -> None:
        self._begins = begins
        self._unfinished, self._is_skipping = b"", False

    def of(self, piece: bytes) -> list[bytes]:
        """Return the lines that end in this piece, without their newlines."""
        whole, newline, self._unfinished = (self._unfinished + piece).rpartition(b"\n")
        if newline and self._is_skipping:  # the rest of a line whose parts were returned
            _, newline, whole = whole.partition(b"\n")
            self._is_skipping = False
        lines = self._split(whole) if newline else []
        if len(self._unfinished) > LONGEST_BYTES:
            lines.append(self._unfinished)
            self._unfinished, self._is_skipping = b"", True
        return lines

    def _split(self, whole: bytes) -> list[bytes]:
        if not self._begins:
            return whole.split(b"\n")
        lines, text, begin = list[bytes](), b"\n" + whole, b"\n" + self._begins
        at = text.find(begin)
        while at >= 0:
            end = text.find(b"\n", at + 1)
            lines.append(text[at + 1 :] if end < 0 else text[at + 1 : end])
            at = text.find(begin, end) if end >= 0 else -1
        return lines
