"""The axis of time of a job with its session runs; the bars of attempts are in `attempts`."""

from __future__ import annotations

from dataclasses import dataclass

from enso_operator.http_api.web.views.attempts import Run, started_attempts
from enso_operator.http_api.web.views.axis import Axis, Cut, Span, axis_of
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.row import ScriptState


@dataclass(frozen=True)
class Band:
    """A session run on the axis of time."""

    name: str
    left: float
    width: float | None
    """None of one that is open: it goes on."""
    why: str
    """Why it was lost; "" where it was not."""


@dataclass(frozen=True)
class Tick:
    """A moment on the axis of time."""

    left: float
    at: float
    pause: float
    """For how long nothing had run before it, in seconds; 0 at the beginning."""


@dataclass(frozen=True)
class Timeline:
    """The axis of time, and the session runs on it."""

    bands: tuple[Band, ...]
    ticks: tuple[Tick, ...]
    cuts: tuple[Cut, ...]
    end: float
    """The moment at the right end."""
    rate: float
    """How far a second moves there, in per cent of the width."""

    def position(self, now: float) -> float:
        """Return where the present is."""
        return max(0.0, min(100.0, round(100 - self.rate * (self.end - now), 3)))


def job_axis(job: Job, now: float) -> Axis | None:
    """Return the axis on which all attempts of the job stand; None before the first."""
    spans: list[Span] = []
    running: list[float] = []
    for script in job.scripts:
        for attempt in started_attempts(job, script):
            if attempt.started_at is None:
                continue
            if attempt.state is ScriptState.RUNNING:
                running.append(attempt.started_at)
                spans.append((attempt.started_at, max(now, attempt.started_at)))
            else:
                spans.append((attempt.started_at, attempt.ended_at or attempt.started_at))
    if job.open_run and not job.finished and spans:
        opened_at = max(job.open_run.at, min(begin for begin, _ in spans))
        running.append(opened_at)
        spans.append((opened_at, max(now, opened_at)))
    return axis_of(spans, min(running, default=None), now)


def timeline_of(axis: Axis, runs: tuple[Run, ...]) -> Timeline:
    """Return what is drawn above the bars."""
    bands: list[Band] = []
    for run in runs:
        left = axis.position(run.opened_at)
        right = None if run.ended_at is None else axis.position(run.ended_at)
        width = None if right is None else round(right - left, 3)
        bands.append(Band(run.name, left, width, run.why))
    pauses = (0.0, *(cut.seconds for cut in axis.cuts))
    ticks = (
        Tick(round(left, 3), at, pause)
        for (left, at), pause in zip(axis.begins, pauses, strict=True)
    )
    return Timeline(tuple(bands), tuple(ticks), axis.cuts, axis.end, axis.rate)
