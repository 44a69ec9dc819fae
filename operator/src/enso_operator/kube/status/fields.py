"""Converts single fields of a status: times, identifiers, lines of text, causes of failures.

`write.py` and `read.py` use it. A session may write any text into its records, so every value is
bounded here before it is written into a status.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from enso_operator.api.status import LONGEST_IN_ROW, LONGEST_LINE, CodeLocation, Failure
from job_execution_framework.domain.cause import (
    LINES_KEPT,
    LONGEST_MESSAGE,
    Cause,
    Frame,
    escaped,
    printable,
    unbroken,
)
from job_execution_framework.domain.row import Attempt

LAST_SECOND = 253402300799.0
"""The end of the year 9999."""
_LONGEST_IDENTIFIER = 64
_COPY = re.compile(r".*/scripts/[0-9]{2,}-([^/]+\.py)\Z", re.DOTALL)
"""The path of a session's own copy of a source: only its file name means something to people."""
_LARGEST_INT = 2**31 - 1


def time_at(at: float) -> datetime:
    """Return seconds since the epoch as a time that a status can hold."""
    return datetime.fromtimestamp(min(max(0.0, at), LAST_SECOND), UTC)  # nan becomes 0


def time_of(at: float | None) -> datetime | None:
    """Return the same for a time that may be unknown."""
    return None if at is None else time_at(at)


def seconds_of(time: datetime | None) -> float | None:
    """Return a time of a status as seconds since the epoch."""
    return None if time is None else time.timestamp()


def identifier(text: str) -> str | None:
    """Return a reason or signal with letters and digits alone, as in conditions; None if empty."""
    letters = re.sub(r"[^A-Za-z0-9]", "", text)[:_LONGEST_IDENTIFIER]
    return letters.lstrip("0123456789") or None


def one_line(text: str) -> str:
    """Return `text` on one line of at most 1,024 bytes."""
    if len(text) <= LONGEST_LINE and text.isascii() and text.isprintable():
        return text.rstrip()  # what most texts are
    text = escaped(unbroken(text).rstrip())
    if len(text.encode()) <= LONGEST_LINE:
        return text
    return text.encode()[: LONGEST_LINE - len("…".encode())].decode(errors="ignore") + "…"


def number(value: int | None) -> int | None:
    """Return a number as an int32, which is all that people, processes and Kubernetes use."""
    return None if value is None else min(max(-_LARGEST_INT, value), _LARGEST_INT)


def short(cause: Cause) -> str:
    """Return a row's message about a cause; for a restored cause it is the same text."""
    text = str(cause) if cause.error else unbroken(cause.message).strip()
    return printable(text, LONGEST_IN_ROW)


def failure_of(
    cause: Cause, script: str = "", attempt: Attempt | None = None, at: float | None = None
) -> Failure:
    """Return a cause as the `Failure` of a status, with all of its fields."""
    return Failure(
        script=script or None,
        attempt=attempt.number if attempt else None,
        time=time_of(at),
        reason=identifier(cause.reason) or "Unknown",
        message=printable(cause.message, LONGEST_MESSAGE) or None,
        error=one_line(cause.error) or None,
        root=one_line(cause.root) or None,
        at=_code_location(cause.at) if cause.at else None,
        exit_code=number(cause.exit_code),
        signal=identifier(cause.signal),
        said=[one_line(line) for line in cause.said[-LINES_KEPT:]] or None,
        said_lines=max(0, number(cause.said_lines) or 0) or None,
    )


def _code_location(frame: Frame) -> CodeLocation:
    return CodeLocation(
        file=one_line(_COPY.sub(r"\1", frame.file)),
        line=max(0, number(frame.line) or 0),
        function=one_line(frame.function),
        text=one_line(frame.text) or None,
    )


def cause_of(failure: Failure) -> Cause:
    """Return the cause that a `Failure` of a status describes."""
    at = failure.at
    return Cause(
        failure.reason,
        failure.message or "",
        error=failure.error or "",
        root=failure.root or "",
        at=Frame(at.file, at.line, at.function, at.text or "") if at else None,
        exit_code=failure.exit_code,
        signal=failure.signal or "",
        said=tuple(failure.said or ()),
        said_lines=failure.said_lines or 0,
    )
