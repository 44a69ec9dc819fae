"""What an attempt wrote, as its page shows it: the last lines, those marked that tell why."""

from __future__ import annotations

import re
from dataclasses import dataclass

from enso_operator.http_api.port import JobSnapshot
from enso_operator.http_api.web.views.standing import state_of
from job_execution_framework.domain.cause import Cause
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.row import Attempt, ScriptState

MOST_BYTES = 256 * 1024
"""Bytes of an output that its page shows; the whole is a click away."""
LONGEST_LINE = 4000
"""Characters of one line that are shown."""
SHORTEST_MARK = 6
"""Characters of a line that is marked as part of a message: shorter ones are anywhere."""
_COLOURS = re.compile(r"(?:\x1b|\\x1b)\[[0-9;:?]*[ -/]*[@-~]")
"""What a terminal would take as a colour, or a movement of its cursor; also as causes escape it."""


@dataclass(frozen=True)
class OutputLine:
    """One line."""

    text: str
    is_marked: bool
    """Whether it tells why the attempt failed."""


@dataclass(frozen=True)
class OutputPage:
    """What the page shows."""

    name: str
    script: str
    attempt: int
    state: str
    why: str
    """Why it failed; "" where it did not."""
    lines: tuple[OutputLine, ...]
    before: int
    """How many bytes came before the lines."""
    address: str
    """That of the whole output, as plain text."""
    job_address: str
    is_running: bool
    first_mark: int
    """The number of the first line that is marked, from 1; 0 where none is."""


def output_page(
    snapshot: JobSnapshot,
    script: str,
    number: int,
    last: tuple[bytes, int],
    *,
    address: str,
    job_address: str,
) -> OutputPage:
    """Return what is shown of an attempt; `last` is the end of its output, and what came before."""
    attempt = _attempt(snapshot.job, script, number)
    cause = attempt.cause
    text, before = last
    lines = tuple(_line(line, cause) for line in _lines(text, is_whole=not before))
    marked = (number for number, line in enumerate(lines, 1) if line.is_marked)
    return OutputPage(
        snapshot.jobid,
        script,
        number,
        state_of(attempt),
        str(cause) if cause else "",
        lines,
        before,
        address,
        job_address,
        is_running=attempt.state is ScriptState.RUNNING,
        first_mark=next(marked, 0),
    )


def without_colours(text: str) -> str:
    """Return a text without what terminals take as colours."""
    return _COLOURS.sub("", text)


def _attempt(job: Job | None, script: str, number: int) -> Attempt:
    row = job.rows.get(script) if job else None
    attempts = (*row.earlier, row.latest) if row else ()
    return next((one for one in attempts if one.number == number), Attempt(number))


def _lines(text: bytes, *, is_whole: bool) -> list[str]:
    lines = text.decode("utf-8", "replace").split("\n")
    if lines[-1] == "":
        lines.pop()
    return lines if is_whole else lines[1:] or lines  # the first one is torn


def _line(line: str, cause: Cause | None) -> OutputLine:
    line = without_colours(line.rstrip("\r"))
    line = line.rpartition("\r")[2]  # what a terminal shows of a line that was written over
    more = len(line) - LONGEST_LINE
    shown = f"{line[:LONGEST_LINE]} … {more} more characters" if more > 0 else line
    return OutputLine(shown, cause is not None and _tells(line.strip(), cause))


def _tells(line: str, cause: Cause) -> bool:
    message = cause.message.strip()
    if not message or len(line) < SHORTEST_MARK:
        return False
    return message.splitlines()[0].strip() in line or line in message
