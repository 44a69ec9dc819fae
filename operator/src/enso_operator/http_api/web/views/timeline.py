"""The axis of time of a job with its session runs; the bars of attempts are in `attempts`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from enso_operator.http_api.web.views.attempts import NARROWEST, Run
from enso_operator.http_api.web.views.axis import WIDTH, Axis, Cut, Span, axis_of
from enso_operator.http_api.web.views.labels import Label, widths_for
from enso_operator.http_api.web.views.spans import span_of, started_attempts
from job_execution_framework.domain.events import took
from job_execution_framework.domain.job import Job

TIME, DATED_TIME = len("22:41:07"), len("11-29 22:41:07")
RIGHT = 60.0
"""Names of session runs that begin further right, in per cent of the width, end at their end."""
DATED_SECONDS = 6 * 3600
"""From this age on a time may be shown with its date, as whoever looks may be in any time zone."""


@dataclass(frozen=True)
class Band:
    """A session run on the axis of time."""

    name: str
    left: float
    width: float | None
    """None of one that is open: it goes on."""
    why: str
    """Why it was lost; "" where it was not."""
    from_width: int | None
    """The width of the axis from which its name has room; None where never."""
    ends_there: bool
    """Its name ends where it ends: there would be no room after its beginning."""


@dataclass(frozen=True)
class Tick:
    """A moment on the axis of time."""

    left: float
    at: float
    is_end: bool
    """It is the end of the axis: its label ends there."""
    from_width: int | None
    """The width of the axis from which its label is shown; None where never."""
    pause: str = ""
    """For how long nothing had run before it; "" at the beginning."""
    pause_from_width: int | None = None
    """The width of the axis from which that is told."""


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
            span = span_of(job, script, attempt)
            if span is None:
                continue
            if span.ended_at is None:
                running.append(span.started_at)
            spans.append((span.started_at, span.ended_at or max(now, span.started_at)))
    if job.open_run and not job.finished and spans:
        opened_at = max(job.open_run.at, min(begin for begin, _ in spans))
        running.append(opened_at)
        spans.append((opened_at, max(now, opened_at)))
    return axis_of(spans, min(running, default=None), now)


def timeline_of(axis: Axis, runs: Sequence[Run], now: float) -> Timeline:
    """Return what is drawn above the bars."""
    return Timeline(
        tuple(_bands(axis, runs)), tuple(_ticks(axis, now)), axis.cuts, axis.end, axis.rate
    )


def _bands(axis: Axis, runs: Sequence[Run]) -> Iterator[Band]:
    """Yield the session runs. The name of a short one may go on beyond it where there is room."""
    places = [_place(axis, run) for run in runs]
    labels = [
        Label(WIDTH if width is None else left + width, len(run.name), ends_there=True)
        if left > RIGHT
        else Label(left, len(run.name))
        for run, (left, width) in zip(runs, places, strict=True)
    ]
    for run, (left, width), label, shown in zip(
        runs, places, labels, widths_for(labels), strict=True
    ):
        yield Band(run.name, left, width, run.why, shown, label.ends_there)


def _place(axis: Axis, run: Run) -> tuple[float, float | None]:
    left = axis.position(run.opened_at)
    if run.ended_at is None:
        return left, None
    return left, max(round(axis.position(run.ended_at, is_end=True) - left, 3), NARROWEST)


def _ticks(axis: Axis, now: float) -> Iterator[Tick]:
    """Yield where what ran begins, and the end of the axis unless something goes on there."""
    moments = [(round(left, 3), at, False) for left, at in axis.begins]
    if axis.end <= now:
        moments.insert(1, (WIDTH, axis.end, True))  # more important than those between
    pauses = ["", *([""] if axis.end <= now else []), *(took(cut.seconds) for cut in axis.cuts)]
    labels = [
        Label(left, DATED_TIME if now - at > DATED_SECONDS else TIME, ends_there=is_end)
        for left, at, is_end in moments
    ]
    said = [number for number, pause in enumerate(pauses) if pause]
    labels += [Label(0, len(f", {pauses[number]} later"), continues=number) for number in said]
    widths = widths_for(labels)
    told = dict(zip(said, widths[len(moments) :], strict=True))
    for number, ((left, at, is_end), pause) in enumerate(zip(moments, pauses, strict=True)):
        yield Tick(left, at, is_end, widths[number], pause, told.get(number))
