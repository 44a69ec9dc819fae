"""How far the running attempt of a script says that it is: a percentage and a line of text.

It is no event: it has no number in a log, and nothing of it is left when the attempt has ended. The
supervisor reads it from the script's output (`runtime.progress`), and who drives the job shows it.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from job_execution_framework.domain.cause import printable, unbroken

LONGEST_TEXT = 256
"""Characters of the text."""
PROGRESS, STATUS, FAIL = "progress", "status", "fail"
"""The words of Open Job Description that are read, after ``openjd_``."""
_SAID = re.compile(r"openjd_(progress|status|fail):(.*)")


@dataclass(frozen=True)
class Progress:
    """What one attempt has said so far."""

    script: str
    attempt: int
    percent: float | None = None
    """From 0 to 100; None where the script has not said it."""
    message: str = ""
    """What it does now, on one line, secrets hidden."""
    number: int = 0
    """It grows with each report of a session run, so that an older one is known as such."""

    def __str__(self) -> str:
        return " ".join(filter(None, [percentage(self.percent), self.message]))


def said_in(line: str) -> tuple[str, str] | None:
    """Return the word of a line such as ``openjd_progress: 42.5``, and what it says; else None."""
    found = _SAID.match(line)
    return (found[1], found[2].strip()) if found else None


def percent_of(text: str) -> float | None:
    """Return a percentage, at most 100, with one decimal; None for what is none."""
    try:
        number = float(text)
    except ValueError:
        return None
    if not 0 <= number < math.inf:
        return None
    return min(round(number, 1) + 0.0, 100.0)  # -0.0 becomes 0.0


def text_of(text: str) -> str:
    """Return a text as progress shows it: one line, bounded."""
    return printable(unbroken(text).strip(), LONGEST_TEXT)


def percentage(percent: float | None) -> str:
    """Return a percentage as people read it, "" where there is none."""
    return "" if percent is None else f"{percent:g}%"
