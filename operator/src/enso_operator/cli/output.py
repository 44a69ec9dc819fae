"""Reads the output of one local session's scripts while they write it, for `progress.py`.

Records have the positions in bytes at which each attempt's output begins and ends. Lines are never
parsed to find an attempt: a script may print lines that look like enso's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from enso_operator.sessions.local.sessions import OUTPUT
from job_execution_framework.domain.lines import END
from job_execution_framework.service_layer.record_line import JOURNAL

LARGEST_LINE_BYTES = 64 * 1024


@dataclass(frozen=True)
class Line:
    """One line, without its line ending."""

    text: bytes
    is_overwritten: bool = False
    """Whether it ended with CR, so that the next line overwrites it (a progress bar)."""


class Output:
    """The output of one session run that has not been shown yet."""

    def __init__(self, directory: Path) -> None:
        self.run, self.log = directory.name, directory / OUTPUT
        self._journal = directory / JOURNAL
        self.position = self.known = 0
        """Bytes that were read or skipped; number of the session's records that are known."""
        self.is_in_attempt = False
        """Whether the last known record is the start of an attempt, which writes the output now."""
        self.incomplete = b""
        """The bytes after the last complete line."""
        self._is_torn = False
        """Whether the last line was yielded without its line ending, which may still come."""
        self._records = self._journal_position = 0

    def size(self) -> int:
        """Return the bytes that were written so far."""
        return self.log.stat().st_size if self.log.exists() else 0

    def attributable(self) -> int:
        """Return the position up to which all output belongs to known attempts.

        The size is read before the records, because the end of an attempt is recorded before the
        mark of the next one is written. While no attempt is known to run, new output may be the
        mark of the next attempt, which is written before its start is recorded.
        """
        size = self.size()
        is_known = self.is_in_attempt and self._count_records() <= self.known
        return size if is_known else self.position

    def skip_to(self, position: int) -> None:
        """Skip the output before a position."""
        self.position, self.incomplete = max(self.position, min(position, self.size())), b""

    def lines(self, end: int, *, is_end: bool) -> Iterator[Line]:
        """Yield the lines before a position; with `is_end` the last line ends there."""
        self.incomplete = b""
        while self.position < end:
            with self.log.open("rb") as log:
                log.seek(self.position)
                data = log.read(min(LARGEST_LINE_BYTES, end - self.position))
            torn, self._is_torn = END.match(data) if self._is_torn else None, False
            if torn:
                self.position += torn.end()
                continue
            is_last = is_end and self.position + len(data) == end
            begin = 0
            for ending in END.finditer(data):
                if ending[0] == b"\r" and ending.end() == len(data) and not is_last:
                    break  # it may be the first half of CRLF
                line = Line(data[begin : ending.start()], ending[0] == b"\r")
                self.position, begin = self.position + ending.end() - begin, ending.end()
                yield line
            if begin:
                continue
            if len(data) < LARGEST_LINE_BYTES and not is_last:
                self.incomplete = data
                return
            self.position, self._is_torn = self.position + len(data), True
            yield Line(data)

    def _count_records(self) -> int:
        """Return how many records the session has written."""
        if self._journal.exists():
            with self._journal.open("rb") as journal:
                journal.seek(self._journal_position)
                new = journal.read()
            self._records += new.count(b"\n")
            self._journal_position += len(new)
        return self._records
