"""Everything that happened to a job, for a page of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from enso_operator.http_api.port import JobSnapshot
from enso_operator.manifests.told_changes import UNKNOWN, definitions_of, listed, told_change
from job_execution_framework.domain.events import JobResumed, JobUnpaused
from job_execution_framework.domain.job import Job


@dataclass(frozen=True)
class ShownEvent:
    """Something that happened."""

    at: float
    kind: str
    details: str


@dataclass(frozen=True)
class EventList:
    """What the page shows."""

    name: str
    events: tuple[ShownEvent, ...]


def event_list(snapshot: JobSnapshot) -> EventList:
    """Return the events of a job, the first one first."""
    return EventList(snapshot.jobid, tuple(_events(snapshot.job)) if snapshot.job else ())


def _events(job: Job) -> Iterator[ShownEvent]:
    arguments = definitions_of(job)
    for place, event in enumerate(job.events):
        told = event
        if isinstance(event, JobResumed | JobUnpaused) and event.changed:
            known = arguments.get(place, UNKNOWN)
            changed = listed(told_change(change, *known) for change in event.changed)
            told = replace(event, changed=(changed,))
        yield ShownEvent(event.at, type(event).__name__, told.details())
