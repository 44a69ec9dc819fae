"""What a person reads when a job failed: which script, with what, why, and how to go on.

One builder makes both forms: the line for conditions, Events and lists, and the card.
"""

from __future__ import annotations

from dataclasses import dataclass

from job_execution_framework.domain.cause import LONGEST_MESSAGE, Cause
from job_execution_framework.domain.events import arguments, took
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import LibraryScript

LARGEST_BYTES = 1024
"""A card fits into one message of any tool."""
LONGEST_HEADLINE = 4
"""Lines of the failure's own message that a card shows."""


@dataclass(frozen=True)
class FailureCard:
    """Why a job ended before its end: as one line, and as lines."""

    line: str
    why: tuple[str, ...]


def failure_card(job: Job, *, on: str = "", log: str = "", resume: str = "") -> FailureCard | None:
    """Return the card of a job that failed, or None where it did not.

    `on` says where it ran, `log` how to read the whole output, `resume` how to go on.
    """
    if job.failure is None:
        return None
    cause, name = job.failure.cause, job.failure.script
    resumes = [f"resume: {resume}"] if resume else []
    ending = _labelled(log=log, resume=resume)
    ending += [f"        runs {to_come(job)}"] if resume else []
    if not name or not job.rows[name].attempt:
        who = f"{name} did not start" if name else "job failed"
        line, whole = f"{who}: {cause}", f"{who}: {cause.on_one_line(LONGEST_MESSAGE)}"
        return FailureCard("; ".join([line, *resumes]), _bounded([whole], [], ending))
    attempt, position = job.rows[name].latest, list(job.rows).index(name) + 1
    args = arguments(attempt.parameters or {})
    outcome = str(attempt.state).lower()
    parts = [f"{name} {outcome}: {cause}", *([f"args {args}"] if args else [])]
    parts += [f"attempt {attempt.number}, {took(attempt.seconds)}", *resumes]
    head = [f"{name} ({position} of {len(job.rows)}), attempt {attempt.number}, {outcome}"]
    head[0] += f" after {took(attempt.seconds)}{'' if cause.error else f': {cause.reason}'}"
    what = f"{cause.error}: {cause.message}" if cause.error else cause.message
    head += [f"  {line}" for line in what.splitlines()[:LONGEST_HEADLINE]]
    file = isinstance(job.script(name).work, LibraryScript) and cause.at and cause.at.file
    place = f"{file or name}, {cause.at}" if cause.at else ""
    head += _labelled(at=place, args=args, on=on)
    return FailureCard("; ".join(parts), _bounded(head, _said(cause), ending))


def to_come(job: Job) -> str:
    """Say what a resume runs, in order: ``open (setup), do (again), save``."""
    return ", ".join(
        script.name
        if not job.rows[script.name].done
        else f"{script.name} ({'setup' if script.setup else 'again'})"
        for script in job.to_come()
    )


def _said(cause: Cause) -> list[str]:
    if not cause.said:
        return []
    count = f"{cause.said_lines} lines; the last of them:" if cause.said_lines > 1 else "one line:"
    return [f"said    {count}", *(f"  {line}" for line in cause.said)]


def _labelled(**texts: str) -> list[str]:
    """Return a line for each text that there is, behind its label."""
    return [f"{label:<8}{text}" for label, text in texts.items() if text]


def _bounded(head: list[str], said: list[str], ending: list[str]) -> tuple[str, ...]:
    """Join the parts; what the script said gives way first, then the ends of long lines."""
    while len(said) > 1 and _size(head + said + ending) > LARGEST_BYTES:
        del said[1]
    lines = head + (said if len(said) > 1 else []) + ending
    while _size(lines) > LARGEST_BYTES:
        longest = max(range(len(lines)), key=lambda i: len(lines[i]))
        lines[longest] = lines[longest][: len(lines[longest]) // 2] + "…"
    return tuple(lines)


def _size(lines: list[str]) -> int:
    return len("\n".join(lines).encode("utf-8", "surrogatepass"))
