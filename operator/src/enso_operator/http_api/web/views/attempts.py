"""The attempts of a script, and the session runs in which they were."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from enso_operator.http_api.web.views.axis import Axis
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


@dataclass(frozen=True)
class ShownAttempt:
    """One attempt."""

    number: int
    state: str
    started_at: float | None
    ended_at: float | None
    seconds: float | None
    """How long it took; None where that is not known, or it runs."""
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


def started_attempts(job: Job, script: Script) -> Iterator[Attempt]:
    """Yield the attempts of a script that are known, the first one first."""
    row = job.rows[script.name]
    yield from row.earlier
    if row.has_attempt and (row.latest.number or row.state is ScriptState.SKIPPED):
        yield row.latest


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
        is_running = attempt.state is ScriptState.RUNNING
        cause = attempt.cause
        run = origins.get((script.name, attempt.number)) or _run_at(runs, attempt.started_at)
        arguments = _arguments(job, script, attempt)
        shown.append(
            ShownAttempt(
                attempt.number,
                state_of(attempt),
                attempt.started_at,
                attempt.ended_at,
                None if is_running or attempt.started_at is None else attempt.seconds,
                run,
                is_again=has_succeeded,
                reason=cause.reason if cause else "",
                why=str(cause) if cause else "",
                arguments=tuple(value for value in arguments if value not in latest),
                bar=_bar(attempt, axis),
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


def _bar(attempt: Attempt, axis: Axis | None) -> Bar | None:
    if axis is None or attempt.started_at is None:
        return None
    left = min(axis.position(attempt.started_at), 100 - NARROWEST)
    if attempt.state is ScriptState.RUNNING:
        return Bar(left, None)
    width = axis.position(attempt.ended_at or attempt.started_at) - left
    return Bar(left, round(max(width, NARROWEST), 3))
