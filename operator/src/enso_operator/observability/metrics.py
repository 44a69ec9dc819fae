"""What the operator counts and times, for Prometheus.

A label holds one of a few known words, never a name or a text: the number of time series does not
grow with what users run. The operator tells it of every commit and of its own work; `/metrics`
serves it. docs/operating.md lists what it says.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Literal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.context_managers import Timer
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.errors import Conflict, JobNotFound
from job_execution_framework.domain.events import Event, ScriptEvent
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.row import ScriptState
from job_execution_framework.domain.transitions import ENDED, RULES, JobState

Posted = Literal["posted", "known", "failed"]
"""What became of a Kubernetes Event: new, there already, or not there now."""
OTHER = "Other"
"""Stands for every reason that `Reason` does not have."""
REASONS = frozenset(value for name, value in vars(Reason).items() if name.isupper())
Waits = tuple[Cause, float]
"""Why a job waits, and for how many seconds it has."""
NO_REASON = ""
"""Prometheus takes an empty label for one that is not there."""
OUTCOMES: dict[type[ScriptEvent], ScriptState] = {
    events.ScriptSucceeded: ScriptState.SUCCEEDED,
    events.ScriptFailed: ScriptState.FAILED,
    events.ScriptInterrupted: ScriptState.INTERRUPTED,
    events.ScriptSkipped: ScriptState.SKIPPED,
}
"""The events that end an attempt."""
LAST_EVENTS = (events.JobSucceeded, events.FinallyCancelled, events.SessionEnded)
"""The events with which a job that has succeeded may be over."""
LONGEST_SECONDS = 366 * 86400.0
"""A session may claim any duration; one absurd value would spoil a sum for ever."""
SCRIPT_BUCKETS = (0.01, 0.1, 0.3, 1, 3, 10, 30, 60, 300, 900, 3600, 10800, 43200, 86400)
RECONCILE_BUCKETS = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10)
COMMIT_BUCKETS = (0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30)


class Metrics:
    """The metrics of one operator, in a registry of their own. Threads may call its methods."""

    def __init__(self) -> None:
        # A second series for each, which nobody reads.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self._jobs = Counter(
            "enso_jobs_finished_total",
            "Jobs that ended, by result and cause.",
            ["result", "reason"],
            registry=registry,
        )
        self._scripts = Counter(
            "enso_scripts_finished_total",
            "Attempts of scripts that ended, by outcome and cause.",
            ["outcome", "reason"],
            registry=registry,
        )
        self._durations = Histogram(
            "enso_script_duration_seconds",
            "How long attempts ran whose end is known.",
            ["outcome"],
            registry=registry,
            buckets=SCRIPT_BUCKETS,
        )
        self._reconciles = Histogram(
            "enso_reconcile_seconds",
            "How long it took to fold what was seen of a job and to decide.",
            registry=registry,
            buckets=RECONCILE_BUCKETS,
        )
        self._commits = Histogram(
            "enso_commit_seconds",
            "How long it took to write a job's status, by what became of it.",
            ["outcome"],
            registry=registry,
            buckets=COMMIT_BUCKETS,
        )
        self._posts = Counter(
            "enso_events_posted_total",
            "Kubernetes Events that were posted, by what became of them.",
            ["outcome"],
            registry=registry,
        )
        self._live = Gauge("enso_live_jobs", "Jobs that have not ended.", registry=registry)
        self._queued_starts = Gauge(
            "enso_queued_starts",
            "Live jobs that have not started, as many others are just starting.",
            registry=registry,
        )
        self._waiting = Gauge(
            "enso_waiting_jobs",
            "Jobs that run, and wait for something outside of them, by cause.",
            ["reason"],
            registry=registry,
        )
        self._longest_waits = Gauge(
            "enso_longest_wait_seconds",
            "How long the longest of these waits has taken; 0 where there is none.",
            ["reason"],
            registry=registry,
        )
        self._waits: Callable[[], Iterable[Waits]] = tuple
        self._leader = Gauge(
            "enso_leader", "1 where this process works, 0 where it stands by.", registry=registry
        )
        self._actor_failures = Counter(
            "enso_actor_failures_total",
            "How often what drives a job broke, by a fault of enso's own.",
            registry=registry,
        )
        self._watch_age = Gauge(
            "enso_watch_age_seconds",
            "Time since the API server was last heard of; NaN before that.",
            registry=registry,
        )
        self._watch_age.set(math.nan)
        self._begin_at_zero()

    def committed(self, job: Job, new_events: Sequence[Event]) -> None:
        """Count what a commit made durable: a `Listener`, told of each event once."""
        for event in new_events:
            if isinstance(event, ScriptEvent):
                self._count_script(event)
            elif isinstance(event, events.JobSucceeded) and job.finals:
                continue  # a finally script may still fail
            elif (state := RULES[type(event)].job_then) is not None and state in ENDED:
                self._count_job(state, getattr(event, "cause", None))
        if job.finals and _succeeded_for_good(job, new_events):
            self._count_job(JobState.SUCCEEDED, None)

    def reconciling(self) -> Timer:
        """Time a ``with`` block that folds and decides."""
        return self._reconciles.time()

    @contextmanager
    def committing(self) -> Generator[None]:
        """Time a ``with`` block that commits; what it raises says how that ended."""
        began = perf_counter()
        try:
            yield
        except (Conflict, JobNotFound):  # somebody else wrote the object, or deleted it
            self._commits.labels(outcome="conflict").observe(perf_counter() - began)
            raise
        except Exception:
            self._commits.labels(outcome="unavailable").observe(perf_counter() - began)
            raise
        self._commits.labels(outcome="committed").observe(perf_counter() - began)

    def posted(self, outcome: Posted) -> None:
        """Count a Kubernetes Event."""
        self._posts.labels(outcome=outcome).inc()

    def actor_failed(self) -> None:
        """Count an actor that ended by an error which it does not know."""
        self._actor_failures.inc()

    def leads(self, yes: bool) -> None:  # noqa: FBT001  # a gauge that is 0 or 1
        """Tell whether this process works now, or stands by."""
        self._leader.set(yes)

    def live_jobs_from(self, count: Callable[[], int]) -> None:
        """Ask `count` for the live jobs whenever somebody reads the metrics."""
        self._live.set_function(count)

    def queued_starts_from(self, count: Callable[[], int]) -> None:
        """Ask `count` for the jobs that wait for their turn whenever somebody reads the metrics."""
        self._queued_starts.set_function(count)

    def waits_from(self, waits: Callable[[], Iterable[Waits]]) -> None:
        """Ask `waits` for the jobs that wait whenever somebody reads the metrics."""
        self._waits = waits

    def watch_age_from(self, seconds: Callable[[], float]) -> None:
        """Ask `seconds` for the age of the watch whenever somebody reads the metrics."""
        self._watch_age.set_function(seconds)

    def text(self) -> tuple[bytes, str]:
        """Return all metrics as Prometheus reads them, and their content type."""
        self._look_at_waits()
        return generate_latest(self._registry), CONTENT_TYPE_PLAIN_0_0_4

    def _look_at_waits(self) -> None:
        found: dict[str, list[float]] = {reason: [] for reason in (*REASONS, OTHER)}
        for cause, seconds in self._waits():
            found[_reason(cause)].append(seconds)
        for reason, seconds_of in found.items():
            self._waiting.labels(reason=reason).set(len(seconds_of))
            self._longest_waits.labels(reason=reason).set(max(seconds_of, default=0))

    def _count_job(self, state: JobState, cause: Cause | None) -> None:
        self._jobs.labels(result=str(state), reason=_reason(cause)).inc()

    def _count_script(self, event: ScriptEvent) -> None:
        outcome = OUTCOMES.get(type(event))
        if outcome is None:
            return
        reason = _reason(getattr(event, "cause", None))
        self._scripts.labels(outcome=outcome.value, reason=reason).inc()
        if isinstance(event, (events.ScriptSucceeded, events.ScriptFailed)):
            seconds = min(max(0.0, event.seconds), LONGEST_SECONDS)  # nan becomes 0
            self._durations.labels(outcome=outcome.value).observe(seconds)

    def _begin_at_zero(self) -> None:
        """Make every series there from the start: no alert sees one that begins at 1."""
        for reason in (*REASONS, OTHER):
            self._jobs.labels(result=str(JobState.FAILED), reason=reason)
            for outcome in (ScriptState.FAILED, ScriptState.INTERRUPTED):
                self._scripts.labels(outcome=outcome.value, reason=reason)
        for result in (JobState.SUCCEEDED, JobState.CANCELLED):
            self._jobs.labels(result=str(result), reason=NO_REASON)
        for outcome in (ScriptState.SUCCEEDED, ScriptState.SKIPPED):
            self._scripts.labels(outcome=outcome.value, reason=NO_REASON)
        for outcome in (ScriptState.SUCCEEDED, ScriptState.FAILED):
            self._durations.labels(outcome=outcome.value)
        for became in ("committed", "conflict", "unavailable"):
            self._commits.labels(outcome=became)
        for became in ("posted", "known", "failed"):
            self._posts.labels(outcome=became)


def _succeeded_for_good(job: Job, new_events: Sequence[Event]) -> bool:
    """Whether the job has succeeded and, with one of these events, its finally scripts are over."""
    is_over = job.state is JobState.SUCCEEDED and job.finished
    return is_over and any(isinstance(event, LAST_EVENTS) for event in new_events)


def _reason(cause: Cause | None) -> str:
    if cause is None:
        return NO_REASON
    return cause.reason if cause.reason in REASONS else OTHER
