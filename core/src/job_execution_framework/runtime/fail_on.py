"""Looks in the output of a script for lines by which its attempt fails (`domain.fail_on`).

`child_runner` begins and ends attempts, the pump's thread adds their output, before it is passed
on: a script that writes more than can be looked through waits for that, as for any slow reader.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from job_execution_framework.domain.fail_on import LONGEST_LINE_BYTES, FailOn
from job_execution_framework.domain.lines import END
from job_execution_framework.domain.patterns import Pattern, compiled


@dataclass(frozen=True)
class Match:
    """The first line of an attempt in which a pattern was found."""

    reason: str
    line: str
    is_cut: bool
    """Whether the line is longer than what was looked at."""


class LineWatch:
    """Looks through the output of the attempt that runs, until a line makes it fail."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._looked_for: list[tuple[Pattern, str]] = []
        self._rest = b""
        self._found: Match | None = None

    @property
    def looks(self) -> bool:
        """Whether lines that come are looked through."""
        return bool(self._looked_for)

    def begin(self, fail_on: Sequence[FailOn]) -> None:
        """Look for these, from the output that comes next on."""
        with self._lock:
            self._looked_for = [(compiled(one.pattern), one.reason) for one in fail_on]
            self._rest, self._found = b"", None

    def end(self, last_words: str = "") -> Match | None:
        """Look for nothing any more; return the line by which the attempt fails, if there is one.

        The last line counts, though nothing ends it, and so do the `last_words` of an exception.
        """
        with self._lock:
            for line in (self._rest, *END.split(last_words.encode("utf-8", "replace"))):
                self._look_at(line)
            self._looked_for, self._rest = [], b""
            return self._found

    def add(self, data: bytes) -> None:
        """Look through output as it comes: a line may be torn anywhere."""
        with self._lock:
            if not self._looked_for:
                return
            *lines, rest = END.split(self._rest + data)
            for line in lines:
                self._look_at(line)
            self._rest = rest[: LONGEST_LINE_BYTES + 1]

    def _look_at(self, line: bytes) -> None:
        if not line or not self._looked_for:
            return
        text = line[:LONGEST_LINE_BYTES].decode("utf-8", "replace")
        for pattern, reason in self._looked_for:
            if pattern.is_in(text):
                self._found = Match(reason, text, len(line) > LONGEST_LINE_BYTES)
                self._looked_for = []
                return
