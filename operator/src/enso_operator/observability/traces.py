"""The spans of a job's trace, made of what happened to it: pure, and the same whenever made again.

The job is a span, and so is each of its resumes; in these are the session runs, and in those the
attempts of scripts. A span is made when what it tells of has ended. `tracing.py` sends them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from enso_operator.kube.status.fields import identifier, number, one_line
from enso_operator.observability.traced_job import Attributes, TracedJob
from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.events import COORDINATOR, Event
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.row import ScriptState
from job_execution_framework.domain.transitions import RULES

LAST_SECOND = 2**63 // 10**9
"""A span's times are nanoseconds in 64 bits; a session may claim any time."""
Outcome = events.ScriptSucceeded | events.ScriptFailed | events.ScriptInterrupted
End = events.JobSucceeded | events.JobFailed | events.JobCancelled
LAST_EVENTS = (
    *(events.JobSucceeded, events.JobFailed, events.JobCancelled),
    *(events.SessionEnded, events.FinallyCancelled),
)
"""With one of them a job has finished, if it has."""


@dataclass(frozen=True)
class Failure:
    """Why what a span tells of has failed."""

    description: str
    exception: Attributes
    """What the span's event `exception` says; empty where a part of it has that event."""


@dataclass(frozen=True)
class Span:
    """Something that has ended. Times are in seconds since the epoch."""

    name: str
    id: str
    parent: str
    """The id of the span that it is in; empty where it begins the trace."""
    began: float
    ended: float
    attributes: Attributes
    failure: Failure | None = None


def spans_of(job: Job, new: Sequence[Event], traced: TracedJob) -> list[Span]:
    """Return the spans of what has ended with these events, the last ones of the job."""
    return [*_Reading(job, new, traced).spans()]


@dataclass
class _Reading:
    """Goes through the new events of a job, which has them all already."""

    job: Job
    new: Sequence[Event]
    traced: TracedJob
    resumes: int = field(init=False)
    """How often the job had been resumed by the event that is looked at."""
    run: str = field(init=False)
    """The session run that was open then; empty where there was none."""
    began: dict[tuple[str, int], float] = field(
        default_factory=dict[tuple[str, int], float], init=False
    )
    """When attempts started, where that is among the new events."""

    def __post_init__(self) -> None:
        self.resumes = self.job.resumes - sum(
            isinstance(event, events.JobResumed) for event in self.new
        )
        of_runs = (events.SessionOpened, events.SessionEnded)
        first = next((event for event in self.new if isinstance(event, of_runs)), None)
        if first is None:
            self.run = self.job.open_run.run if self.job.open_run else ""
        else:  # one that is opened was not open before
            self.run = first.run if isinstance(first, events.SessionEnded) else ""

    def spans(self) -> Iterator[Span]:
        """Yield a span for each thing that has ended."""
        may_have_finished, known = False, len(self.job.events) - len(self.new)
        for place, event in enumerate(self.new, known):
            if isinstance(event, events.SessionOpened):
                self.run = event.run
            elif isinstance(event, events.SessionEnded):
                yield self._session(event)
                self.run = ""
            elif isinstance(event, events.ScriptStarted):
                self.began[event.script, event.attempt] = event.at
            elif isinstance(event, Outcome):
                yield self._attempt(event)
            elif isinstance(event, events.JobResumed):
                if (
                    may_have_finished or self.run
                ):  # else it had finished before, which was told then
                    yield self._job(event.at, self.job.events[:place])
                self.resumes, may_have_finished = self.resumes + 1, False
            may_have_finished = may_have_finished or isinstance(event, LAST_EVENTS)
        if self.new and self.job.finished:
            yield self._job(self.new[-1].at, self.job.events)

    def _job(self, ended: float, past: Sequence[Event]) -> Span:
        """Return the span of the job, or of a resume of it, which has finished."""
        end = next(event for event in reversed(past) if isinstance(event, End))
        began = self._resumed_at() if self.resumes else self.job.started_at
        failure = None
        attributes = {
            **self.traced.attributes,
            "enso.job.state": str(RULES[type(end)].job_then),
            "enso.job.resumes": self.resumes,
        }
        if isinstance(end, events.JobFailed):
            failure = Failure(one_line(end.details()), {})
            attributes["error.type"] = _error_type(end.cause)
        first = self.resumes == 0
        return _span(
            f"{'job' if first else 'resume'} {self.traced.title}",
            self._of_job(self.resumes),
            self.traced.parent_id if first else self.traced.span_id,
            (self.job.events[0].at if began is None else began, ended),
            attributes,
            failure,
        )

    def _session(self, event: events.SessionEnded) -> Span:
        opened = next(
            (
                opened
                for opened in reversed(self.job.events)
                if isinstance(opened, events.SessionOpened) and opened.run == event.run
            ),
            None,
        )
        began = opened.at if opened else event.at
        # The run of before a resume may have ended after it.
        is_older = self.resumes > 0 and began < self._resumed_at()
        session = opened.session if opened else event.run
        return _span(
            f"session {session}",
            self.traced.part("session", event.run),
            self._of_job(self.resumes - is_older),
            (began, event.at),
            {**self.traced.attributes, **self._place(event.run), **_error(event.cause)},
            _failure(event.cause) if event.cause else None,
        )

    def _attempt(self, event: Outcome) -> Span:
        run = self.run if event.origin in (COORDINATOR, "") else event.origin
        cause = None if isinstance(event, events.ScriptSucceeded) else event.cause
        outcome = RULES[type(event)].script_then or ScriptState.INTERRUPTED
        attributes = {
            **self.traced.attributes,
            **self._place(run),
            "enso.script.name": event.script,
            "enso.script.attempt": event.attempt,
            "enso.script.outcome": str(outcome),
            **_error(cause),
        }
        if event.parameters:
            attributes["enso.script.arguments"] = one_line(events.arguments(event.parameters))
        return _span(
            f"script {event.script}",
            self.traced.part("script", event.script, event.attempt),
            self.traced.part("session", run) if run else self._of_job(self.resumes),
            (self._began(event), event.at),
            attributes,
            _failure(cause) if cause else None,
        )

    def _began(self, event: Outcome) -> float:
        """Return when the attempt started; perhaps an earlier commit had its start."""
        row = self.job.rows[event.script]
        known = {attempt.number: attempt.started_at for attempt in (*row.earlier, row.latest)}
        began = self.began.get((event.script, event.attempt), known.get(event.attempt))
        return event.at if began is None else began

    def _of_job(self, resumes: int) -> str:
        return self.traced.part("resume", resumes) if resumes else self.traced.span_id

    def _resumed_at(self) -> float:
        """Return when the job was resumed the last time, as of the event that is looked at."""
        at = [event.at for event in self.job.events if isinstance(event, events.JobResumed)]
        return at[min(self.resumes, len(at)) - 1]

    def _place(self, run: str) -> Attributes:
        """Return where something ran."""
        if not run:
            return {}
        pod = {"k8s.pod.name": self.traced.pod_of(run)} if self.traced.pod_of else {}
        return {"enso.session.run": one_line(run), **pod}


def _span(
    name: str,
    own: str,
    parent: str,
    times: tuple[float, float],
    attributes: Attributes,
    failure: Failure | None,
) -> Span:
    began, ended = (min(max(0.0, at), LAST_SECOND) for at in times)  # nan becomes 0
    return Span(name, own, parent, min(began, ended), ended, attributes, failure)


def _error(cause: Cause | None) -> Attributes:
    return {"error.type": _error_type(cause)} if cause else {}


def _error_type(cause: Cause) -> str:
    """Return the type of the exception, or the reason where there was none."""
    if cause.reason == Reason.EXCEPTION and cause.error:
        return one_line(cause.error)
    return identifier(cause.reason) or "Unknown"


def _failure(cause: Cause) -> Failure:
    exception: dict[str, str | int] = {
        "exception.type": _error_type(cause),
        "exception.message": one_line(cause.message),
    }
    if cause.at:
        exception["code.file.path"] = one_line(cause.at.file)
        exception["code.line.number"] = number(cause.at.line) or 0
        exception["code.function.name"] = one_line(cause.at.function)
    return Failure(one_line(str(cause)), exception)
