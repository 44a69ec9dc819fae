"""What the scripts of one local session write, read as it comes.

Which attempt wrote what is known by counting: records say where each part begins and ends. A line
that looks like one of ours is a script's as any other.
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
    """The output of one session run, from what has been shown of it on."""

    def __init__(self, directory: Path) -> None:
        self.run, self.log = directory.name, directory / OUTPUT
        self._journal = directory / JOURNAL
        self.position = self.known = 0
        """How many bytes were read or left out, and how many of the session's records are known."""
        self.rest = b""
        """What was read last and is no whole line yet."""
        self._is_torn = False
        """The last line was given without its end, which may come yet."""
        self._records = self._journal_position = 0

    def size(self) -> int:
        """Return how much was written so far."""
        return self.log.stat().st_size if self.log.exists() else 0

    def attributable(self) -> int:
        """Return up to where what was written is not of an attempt that is not known yet.

        An attempt's start is recorded before it writes anything: so the size is asked first.
        """
        size = self.size()
        return size if self._recorded() <= self.known else self.position

    def go_on_at(self, position: int) -> None:
        """Leave out what stands before a position."""
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
