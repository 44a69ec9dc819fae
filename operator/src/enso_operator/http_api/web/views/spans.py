"""When the attempts of a job began and ended, and how long it ran: what lies between is no work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from enso_operator.http_api.web.views.axis import merged
from job_execution_framework.domain.events import ScriptFailed, ScriptInterrupted
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.row import Attempt, ScriptState
from job_execution_framework.domain.script import Script

SHORTEST_START_SECONDS = 0.05
"""What is before the script and takes less is no start of an interpreter."""


@dataclass(frozen=True)
class AttemptSpan:
    """One attempt, in seconds since the epoch."""

    started_at: float
    began_at: float
    """When its script began, as it is drawn: until then its interpreter, or its container, was
    started. The same as `started_at` where that is not known, or takes too short to be seen."""
    ended_at: float | None
    """None of one that runs."""
    seconds: float | None
    """How long its script ran, as its session measured it: the number that the events, the failure
    card and the API say; None where it runs. The times are those of records, which take longer."""
    is_known: bool = True
    """Whether the end is that of the script; else it is when somebody found out, or none."""


@dataclass(frozen=True)
class Times:
    """How long a job or a script ran, and how long it took with all that lay between."""

    ran: float
    whole: float
    """From the first start to the last end."""
    is_least: bool
    """There were attempts that nobody remembers: it ran longer."""


def started_attempts(job: Job, script: Script) -> Iterator[Attempt]:
    """Yield the attempts of a script that are known, the first one first."""
    row = job.rows[script.name]
    yield from row.earlier
    if row.has_attempt and (row.latest.number or row.state is ScriptState.SKIPPED):
        yield row.latest


def span_of(job: Job, script: Script, attempt: Attempt) -> AttemptSpan | None:
    """Return when the attempt began and ended; None where it never started."""
    started = attempt.started_at
    if started is None:
        return None
    if attempt.state is ScriptState.RUNNING:
        return AttemptSpan(started, started, None, None)
    if attempt.state is ScriptState.SKIPPED:
        return _before_it_was_skipped(job, script, attempt.number, started)
    is_known = attempt.state is not ScriptState.INTERRUPTED
    return _ended(
        started, attempt.ended_at, attempt.seconds if is_known else None, is_known=is_known
    )


def _before_it_was_skipped(job: Job, script: Script, number: int, started: float) -> AttemptSpan:
    """Return the span of an attempt that had ended when somebody skipped its script."""
    for event in reversed(job.events):
        if not isinstance(event, ScriptFailed | ScriptInterrupted):
            continue
        if (event.script, event.attempt) == (script.name, number):
            seconds = event.seconds if isinstance(event, ScriptFailed) else None
            return _ended(started, event.at, seconds, is_known=seconds is not None)
    return AttemptSpan(started, started, started, 0.0, is_known=False)


def _ended(
    started: float, ended: float | None, seconds: float | None, *, is_known: bool
) -> AttemptSpan:
    ended = max(started, started if ended is None else ended)
    began = started if seconds is None else min(max(started, ended - seconds), ended)
    if began - started < SHORTEST_START_SECONDS:
        began = started
    return AttemptSpan(
        started, began, ended, ended - started if seconds is None else seconds, is_known
    )


def times_of(job: Job, scripts: Iterable[Script]) -> Times | None:
    """Return how long these scripts ran; None before their first start, and while one runs."""
    spans: list[AttemptSpan] = []
    is_least = False
    for script in scripts:
        attempts = [*started_attempts(job, script)]
        is_least = is_least or (bool(attempts) and len(attempts) < attempts[-1].number)
        spans += filter(None, (span_of(job, script, attempt) for attempt in attempts))
    ended = [
        (span.ended_at - span.seconds, span.ended_at)
        for span in spans
        if span.ended_at is not None and span.seconds is not None
    ]
    if not spans or len(ended) < len(spans):
        return None
    ran = sum(end - begin for begin, end in merged(sorted(ended)))
    whole = max(end for _, end in ended) - min(span.started_at for span in spans)
    return Times(ran, max(whole, ran), is_least)
