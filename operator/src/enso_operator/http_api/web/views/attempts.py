"""The attempts of a script, and the session runs in which they were."""

from __future__ import annotations

from dataclasses import dataclass

from enso_operator.http_api.web.views.axis import WIDTH, Axis
from enso_operator.http_api.web.views.spans import AttemptSpan, span_of, started_attempts
from enso_operator.http_api.web.views.standing import state_of
from enso_operator.http_api.web.views.values import Named, named
from job_execution_framework.domain.events import (
    COORDINATOR,
    ScriptStarted,
    SessionEnded,
    SessionOpened,
)
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.row import Attempt, ScriptState
from job_execution_framework.domain.script import Script

NARROWEST = 0.35
"""The width of the shortest bar, so that it is seen, in per cent."""


@dataclass(frozen=True)
class Run:
    """One opening of a session, as far as it is known."""

    name: str
    opened_at: float
    ended_at: float | None
    why: str
    """Why it was lost; "" where it was not."""


@dataclass(frozen=True)
class Bar:
    """An attempt on the axis of time."""

    left: float
    width: float | None
    """None of one that runs: it grows while somebody looks."""
    starting: float
    """How wide what was before it is: the start of its interpreter, or of its container."""


@dataclass(frozen=True)
class ShownAttempt:
    """One attempt."""

    number: int
    state: str
    started_at: float | None
    ended_at: float | None
    seconds: float | None
    """How long its script ran; None where that is not known, or it runs."""
    is_at_most: bool
    """It did not run longer than that; when it ended is not known."""
    starting: float
    """How long its interpreter, or its container, took to start; 0 where that is not known."""
    run: str
    """Its session run; "" where it is not known."""
    is_again: bool
    """The script had succeeded before: it ran again, as its work in memory was lost or somebody
    asked for it."""
    reason: str
    why: str
    arguments: tuple[Named, ...]
    """Those that are others than those of the latest attempt."""
    bar: Bar | None

    @property
    def is_running(self) -> bool:
        """Whether it runs."""
        return self.state == str(ScriptState.RUNNING)


def runs_of(job: Job) -> tuple[Run, ...]:
    """Return the session runs that the job's events still tell of, in order."""
    ends = {event.run: event for event in job.events if isinstance(event, SessionEnded)}
    opened = [event for event in job.events if isinstance(event, SessionOpened)]
    return tuple(
        Run(
            event.run,
            event.at,
            end.at if (end := ends.get(event.run)) else None,
            str(end.cause) if end and end.cause else "",
        )
        for event in opened
    )


def attempts_of(
    job: Job, script: Script, runs: tuple[Run, ...], axis: Axis | None
) -> tuple[ShownAttempt, ...]:
    """Return the attempts of a script, the first one first."""
    origins = {
        (event.script, event.attempt): event.origin
        for event in job.events
        if isinstance(event, ScriptStarted) and event.origin not in ("", COORDINATOR)
    }
    latest = _arguments(job, script, job.rows[script.name].latest)
    shown: list[ShownAttempt] = []
    has_succeeded = False
    for attempt in started_attempts(job, script):
        cause, span = attempt.cause, span_of(job, script, attempt)
        run = origins.get((script.name, attempt.number)) or _run_at(runs, attempt.started_at)
        arguments = _arguments(job, script, attempt)
        shown.append(
            ShownAttempt(
                attempt.number,
                state_of(attempt),
                attempt.started_at,
                attempt.ended_at,
                _seconds(span),
                span is not None and not span.is_known,
                span.began_at - span.started_at if span else 0.0,
                run,
                is_again=has_succeeded,
                reason=cause.reason if cause else "",
                why=str(cause) if cause else "",
                arguments=tuple(value for value in arguments if value not in latest),
                bar=_bar(span, axis),
            )
        )
        has_succeeded = has_succeeded or attempt.state is ScriptState.SUCCEEDED
    return tuple(shown)


def _arguments(job: Job, script: Script, attempt: Attempt) -> tuple[Named, ...]:
    known = attempt.parameters
    return named(job.shown(script.name, attempt.number) if known is None else known, script)


def _run_at(runs: tuple[Run, ...], at: float | None) -> str:
    if at is None:
        return ""
    around = (
        run.name
        for run in runs
        if run.opened_at <= at and (run.ended_at is None or at <= run.ended_at)
    )
    return next(around, "")


def _seconds(span: AttemptSpan | None) -> float | None:
    if span is None or span.seconds is None:
        return None
    return span.seconds if span.is_known or span.seconds else None


def _bar(span: AttemptSpan | None, axis: Axis | None) -> Bar | None:
    if axis is None or span is None:
        return None
    first = min(axis.position(span.started_at), WIDTH - NARROWEST)
    if span.ended_at is None:
        return Bar(first, None, 0.0)
    left = min(axis.position(span.began_at), WIDTH - NARROWEST)
    width = axis.position(span.ended_at, is_end=True) - left
    return Bar(left, round(max(width, NARROWEST), 3), round(left - first, 3))
