"""Lines of output as pages show them, made as the output comes: it may be torn anywhere.

A line shows what a terminal would: no colours, and the last of what was written over. Those that
tell why the attempt failed are marked. Those with which a script tells its progress are known as
such: pages show elsewhere what they say, and fold them.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from job_execution_framework.domain.cause import Cause
from job_execution_framework.domain.progress import FAIL, PROGRESS, percent_of, said_in

LONGEST_LINE = 4000
"""Characters of one line that are shown."""
MOST_KEPT = 4 * LONGEST_LINE
"""Characters that are kept of a line that has not ended, colours among them."""
SHORTEST_MARK = 6
"""Characters of a line that is marked as part of a message: shorter ones are anywhere."""
_COLOURS = re.compile(r"(?:\x1b|\\x1b)\[[0-9;:?]*[ -/]*[@-~]")
"""What a terminal would take as a colour, or a movement of its cursor; also as causes escape it."""


@dataclass(frozen=True)
class OutputLine:
    """One line."""

    text: str
    is_marked: bool = False
    """Whether it tells why the attempt failed."""
    is_told: bool = False
    """Whether the script tells its progress with it."""
    more: int = 0
    """How many characters of it are not shown."""


class Lines:
    """Makes lines of pieces of output."""

    def __init__(self, cause: Cause | None) -> None:
        """Lines that tell of the cause are marked."""
        self._cause = cause
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._begun, self._more = "", 0
        """What is kept of the line that has not ended, and how many characters are not."""

    def add(self, piece: bytes) -> list[OutputLine]:
        """Return the lines that end in this piece."""
        *ended, begun = self._decode(piece).split("\n")
        lines = [self._ended(text) for text in ended]
        self._go_on(begun)
        return lines

    @property
    def begun(self) -> OutputLine | None:
        """The line that has not ended, as far as it was written."""
        return self._line() if self._begun else None

    def _ended(self, text: str) -> OutputLine:
        self._go_on(text)
        line = self._line()
        self._begun, self._more = "", 0
        return line

    def _go_on(self, text: str) -> None:
        text = self._begun + text
        written_over = text.rfind("\r", 0, len(text.rstrip("\r"))) + 1
        if written_over:
            text, self._more = text[written_over:], 0
        if len(text) > MOST_KEPT + 1:
            end = "\r" if text.endswith("\r") else ""  # what comes then is written over it
            self._more += len(text) - MOST_KEPT - len(end)
            text = text[:MOST_KEPT] + end
        self._begun = text

    def _line(self) -> OutputLine:
        raw = self._begun.rstrip("\r")
        text, cause = without_colours(raw), self._cause
        return OutputLine(
            text[:LONGEST_LINE],
            is_marked=cause is not None and _tells(text.strip(), cause),
            is_told=_is_told(raw),
            more=max(len(text) - LONGEST_LINE, 0) + self._more,
        )


def without_colours(text: str) -> str:
    """Return a text without what terminals take as colours."""
    return _COLOURS.sub("", text)


def _tells(line: str, cause: Cause) -> bool:
    message = cause.message.strip()
    if not message or len(line) < SHORTEST_MARK:
        return False
    return message.splitlines()[0].strip() in line or line in message


def _is_told(line: str) -> bool:
    said = said_in(line)
    if said is None or said[0] == FAIL:
        return False
    return said[0] != PROGRESS or percent_of(said[1]) is not None
