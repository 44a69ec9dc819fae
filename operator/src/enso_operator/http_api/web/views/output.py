"""What an attempt wrote, as its page and the page of the job show it: its end, line by line."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from enso_operator.http_api.port import JobSnapshot
from enso_operator.http_api.web.views.output_lines import Lines, OutputLine
from enso_operator.http_api.web.views.parts import Part, Parts
from enso_operator.http_api.web.views.standing import state_of
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.row import Attempt, ScriptState

MOST_BYTES = 256 * 1024
"""Bytes of an output that pages show; the whole is a click away."""


@dataclass(frozen=True)
class Addresses:
    """Where what belongs to an output is."""

    whole: str
    """All of it, as plain text."""
    lines: str
    """What a page shows of it, as it comes (`web.output_stream`)."""
    job: str


@dataclass(frozen=True, kw_only=True)
class AttemptState:
    """How an attempt stands."""

    state: str
    why: str
    """Why it failed; "" where it did not."""
    is_running: bool


@dataclass(frozen=True, kw_only=True)
class OutputPage(AttemptState):
    """What is shown."""

    name: str
    script: str
    attempt: int
    lines: tuple[OutputLine, ...]
    begun: OutputLine | None
    """The last line, where it has not ended."""
    before: int
    """How many bytes came before the lines."""
    size: int
    """How many bytes the lines have."""
    addresses: Addresses

    @property
    def file(self) -> str:
        """The name of the file as which it is downloaded."""
        return f"{self.name}-{self.script}-{self.attempt}.txt"

    @cached_property
    def first_mark(self) -> int:
        """The number of the first line that is marked, from 1; 0 where none is."""
        every = [*self.lines, *([self.begun] if self.begun else [])]
        return next((number for number, line in enumerate(every, 1) if line.is_marked), 0)

    @cached_property
    def told(self) -> int:
        """How many of the lines tell progress."""
        return sum(line.is_told for line in self.lines)


def output_page(
    snapshot: JobSnapshot,
    script: str,
    number: int,
    last: tuple[bytes, int],
    addresses: Addresses,
) -> tuple[OutputPage, Lines]:
    """Return what is shown of an attempt, and what makes lines of what it will write yet.

    `last` is the end of its output, and how many bytes came before.
    """
    attempt = _attempt(snapshot.job, script, number)
    cause = attempt.cause
    text, before = last
    if before and text.find(b"\n", 0, -1) >= 0:  # the first line is torn
        torn, _, text = text.partition(b"\n")
        before += len(torn) + 1
    lines = Lines(cause)
    ended = tuple(lines.add(text))
    page = OutputPage(
        **vars(_state(attempt)),
        name=snapshot.jobid,
        script=script,
        attempt=number,
        lines=ended,
        begun=lines.begun,
        before=before,
        size=len(text),
        addresses=addresses,
    )
    return page, lines


def attempt_state(snapshot: JobSnapshot, script: str, number: int) -> AttemptState:
    """Return how an attempt stands."""
    return _state(_attempt(snapshot.job, script, number))


def parts_of_output(shown: AttemptState) -> Parts:
    """Return the parts of its page that change; its lines have a stream of their own."""
    key = (shown.state, shown.why)
    return {
        "part-state": Part("_output.html", "state", (shown,), key),
        "part-why": Part("_output.html", "why", (shown,), key),
    }


def _state(attempt: Attempt) -> AttemptState:
    return AttemptState(
        state=state_of(attempt),
        why=str(attempt.cause) if attempt.cause else "",
        is_running=attempt.state is ScriptState.RUNNING,
    )


def _attempt(job: Job | None, script: str, number: int) -> Attempt:
    row = job.rows.get(script) if job else None
    attempts = (*row.earlier, row.latest) if row else ()
    return next((one for one in attempts if one.number == number), Attempt(number))
