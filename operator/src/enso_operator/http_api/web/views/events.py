"""Everything that happened to a job, for a page of its own."""

from __future__ import annotations

from dataclasses import dataclass

from enso_operator.http_api.port import JobSnapshot


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
    events = snapshot.job.events if snapshot.job else ()
    return EventList(
        snapshot.jobid,
        tuple(ShownEvent(event.at, type(event).__name__, event.details()) for event in events),
    )
