"""Reads the output of one local session's scripts while they write it.

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
    """One line, without its end."""

    text: bytes
    is_written_over: bool = False
    """It ended with CR: what comes next is written over it, as progress bars do."""


class Output:
    """The output of one session run that has not been shown yet."""

    def __init__(self, directory: Path) -> None:
        self.run, self.log = directory.name, directory / OUTPUT
        self._journal = directory / JOURNAL
        self.position = self.known = 0
        """How many bytes were read or left out, and how many of the session's records are known."""
        self.is_in_attempt = False
        """The last known record begins an attempt: what is written now is that attempt's."""
        self.rest = b""
        """What was read last and is no whole line yet."""
        self._is_torn = False
        """The last line was given without its end, which may come yet."""
        self._records = self._journal_position = 0

    def size(self) -> int:
        """Return how much was written so far."""
        return self.log.stat().st_size if self.log.exists() else 0

    def attributable(self) -> int:
        """Return the position up to which all output belongs to known attempts.

        An attempt's end is recorded before the next one's mark is written: so the size is read
        before the records. The mark is written before its attempt's start is recorded: so nothing
        belongs to an attempt while none is known to run.
        """
        size = self.size()
        is_known = self.is_in_attempt and self._recorded() <= self.known
        return size if is_known else self.position

    def go_on_at(self, position: int) -> None:
        """Skip the output before a position."""
        self.position, self.rest = max(self.position, min(position, self.size())), b""

    def lines(self, end: int, *, is_end: bool) -> Iterator[Line]:
        """Yield the lines before a position; `is_end` where none goes on behind it."""
        self.rest = b""
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
            for found in END.finditer(data):
                if found[0] == b"\r" and found.end() == len(data) and not is_last:
                    break  # it may be the first half of CRLF
                line = Line(data[begin : found.start()], found[0] == b"\r")
                self.position, begin = self.position + found.end() - begin, found.end()
                yield line
            if begin:
                continue
            if len(data) < LARGEST_LINE_BYTES and not is_last:
                self.rest = data
                return
            self.position, self._is_torn = self.position + len(data), True
            yield Line(data)

    def _recorded(self) -> int:
        """Return how many records the session has written."""
        if self._journal.exists():
            with self._journal.open("rb") as journal:
                journal.seek(self._journal_position)
                new = journal.read()
            self._records += new.count(b"\n")
            self._journal_position += len(new)
        return self._records
