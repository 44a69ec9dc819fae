"""What a person reads when a job failed: which script, its parameters, why, how to go on.

One builder makes both forms: the line, for conditions, Events and lists, and the card, for
``kubectl describe``, ``enso run`` and the HTTP API.
"""

from __future__ import annotations

from dataclasses import dataclass

from job_execution_framework.domain.cause import (
    LONGEST_MESSAGE,
    Cause,
    Frame,
    Reason,
    escaped,
    unbroken,
)
from job_execution_framework.domain.events import arguments, took
from job_execution_framework.domain.final import applies
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.output_file import latest_output
from job_execution_framework.domain.outputs import references
from job_execution_framework.domain.row import ScriptState
from job_execution_framework.domain.script import LibraryScript, Script, module_of
from job_execution_framework.domain.transitions import JobState

LARGEST_BYTES = 1024
"""Size of a card, so that it fits into one message of any tool."""
LONGEST_HEADLINE = 4
"""Lines of the failure's own message that a card shows."""
MOST_OTHERS = 5
"""Other scripts that failed, too, and have a line of their own."""
ENOUGH_BYTES = 120
"""Long lines of a card that is too large are first cut to this, before lines are left out."""
UNSEEN = "not known to have begun"
"""Shown instead of the duration of an attempt whose start is not known."""


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
    ending += [f"        runs {_first_of(names_to_come(job))}"] if resume else []
    others = also_failed(job)
    also = [f"also failed: {_first_of(others)}"] if others else []
    resumes = [*also, *resumes]
    if not name or not job.rows[name].attempt:
        who = f"{name} did not start" if name else "job failed"
        line, whole = f"{who}: {cause}", f"{who}: {cause.on_one_line(LONGEST_MESSAGE)}"
        return _card([line, *resumes], [whole, *_also(job, others)], [], ending)
    attempt = job.rows[name].latest
    args = arguments({**(attempt.parameters or {}), **job.given(name)})
    outcome = str(attempt.state).lower()
    parts = [f"{name} {outcome}: {cause}", *([f"args {args}"] if args else [])]
    began = attempt.started_at is not None
    parts += [f"attempt {attempt.number}, {took(attempt.seconds) if began else UNSEEN}", *resumes]
    head = [f"{name} ({job.place(name)}), attempt {attempt.number}, {outcome}"]
    head[0] += f" after {took(attempt.seconds)}" if began else f", {UNSEEN}"
    head[0] += "" if cause.error else f": {cause.reason}"
    what = f"{cause.error}: {cause.message}" if cause.error else cause.message
    head += [f"  {line}" for line in what.splitlines()[:LONGEST_HEADLINE]]
    head += [f"  {cause.root}"] if cause.root else []
    place = f"{file_of(job.script(name), cause.at)}, {cause.at}" if cause.at else ""
    sources = references(job.script(name).parameters).items()
    took_from = "; ".join(f"{argument} is {of}" for argument, of in sources)
    head += _labelled(
        at=place, args=args, outputs=took_from, on=on, retries=_used_up(job, job.script(name))
    )
    head += _also(job, others)
    ending = _labelled(output=_kept(job, name)) + ending
    return _card(parts, head, _said(cause), ending)


def _kept(job: Job, name: str) -> str:
    """Return the file that keeps the attempt's output, or why there is none."""
    lost = job.rows[name].latest.output_lost
    return f"not kept: {lost}" if lost else latest_output(job, name)


def _used_up(job: Job, script: Script) -> str:
    """Return which retries of a script that failed for good it has had."""
    row = job.rows[script.name]
    budget, failures = row.budget_of(script.retries)
    if row.state is not ScriptState.FAILED or not 0 < budget.limit < failures:
        return ""
    cause = f" for {budget.reason}" if budget.reason else ""
    return f"{budget.limit} of {budget.limit}{cause}, none is left"


def also_failed(job: Job) -> list[str]:
    """Return the names of the other scripts that failed for good: not of what the end stopped."""
    name = job.failure.script if job.failure else ""
    causes = {script.name: job.rows[script.name].latest.cause for script in job.failed()}
    return [
        other
        for other, cause in causes.items()
        if other != name and cause and cause.reason != Reason.CANCELLED
    ]


def _also(job: Job, others: list[str]) -> list[str]:
    """Return a line for each of the first few others, and how many more there are."""
    causes = ((other, job.rows[other].latest.cause) for other in others[:MOST_OTHERS])
    lines = [f"{name}: {cause.on_one_line(ENOUGH_BYTES)}" for name, cause in causes if cause]
    more = len(others) - len(lines)
    texts = [*lines, f"{more} more"] if more else lines
    return [f"also    {text}" for text in texts]


def file_of(script: Script, at: Frame) -> str:
    """Return the file that people open to see that line, or else the script's name."""
    if not isinstance(script.work, LibraryScript):
        return script.name
    # A script of a cluster's library has no file: the session writes a temporary one.
    is_copy = at.file.endswith(f"/{module_of(script.name)}.py")
    return script.work.name if is_copy else at.file or script.name


def to_come(job: Job) -> str:
    """Return what a resume runs, in order: ``open (setup), do (again), save, tell (finally)``.

    Of a job that failed only as it cleaned up, that is its finally scripts.
    """
    return ", ".join(names_to_come(job))


def names_to_come(job: Job) -> list[str]:
    """Return each of them, and the finally scripts of an end in success."""
    main = [
        script.name
        if not job.rows[script.name].done
        else f"{script.name} ({'setup' if script.setup else 'again'})"
        for script in job.to_come()
    ]
    finals = [script for script in job.finals if applies(script, JobState.SUCCEEDED)]
    return main + [f"{script.name} (finally)" for script in finals]


def _first_of(names: list[str]) -> str:
    """Return as many names as a line of the card has room for, at least one, and how many more."""
    shown = names[:1]
    for name in names[1:]:
        if _size(", ".join([*shown, name])) > ENOUGH_BYTES:
            return f"{', '.join(shown)} and {len(names) - len(shown)} more"
        shown.append(name)
    return ", ".join(shown)


def _said(cause: Cause) -> list[str]:
    if not cause.said:
        return []
    count = f"{cause.said_lines} lines; the last of them:" if cause.said_lines > 1 else "one line:"
    return [f"said    {count}", *(f"  {line}" for line in cause.said)]


def _labelled(**texts: str) -> list[str]:
    """Return a line with its label for each text that is not empty."""
    return [f"{label:<8}{text}" for label, text in texts.items() if text]


def _card(parts: list[str], head: list[str], said: list[str], ending: list[str]) -> FailureCard:
    head, said, ending = ([_line(text) for text in texts] for texts in (head, said, ending))
    return FailureCard(_line("; ".join(parts)), _bounded(head, said, ending))


def _line(text: str) -> str:
    """Return a text that every tool shows as one line, whatever paths and names contain."""
    return unbroken(escaped(text))


def _bounded(head: list[str], said: list[str], ending: list[str]) -> tuple[str, ...]:
    """Join the parts. A card that is too large loses ends of long lines first, then output."""

    def too_large() -> bool:
        return _size("\n".join(head + said + ending)) > LARGEST_BYTES

    while too_large() and _size(longest := max(head, key=_size)) > ENOUGH_BYTES:
        _cut(head, longest, ENOUGH_BYTES)
    while too_large() and len(said) > 2:  # noqa: PLR2004  # its label and the last line
        del said[1]
    lines = head + said + ending
    while _size("\n".join(lines)) > LARGEST_BYTES:
        _cut(lines, max(lines, key=_size), 0)
    return tuple(lines)


def _cut(lines: list[str], line: str, least: int) -> None:
    """Cut a line among `lines` to half of its bytes, but to no less than `least`."""
    kept = line.encode()[: max(least, _size(line) // 2) - _size("…")].decode(errors="ignore")
    lines[lines.index(line)] = f"{kept}…"


def _size(text: str) -> int:
    return len(text.encode())
