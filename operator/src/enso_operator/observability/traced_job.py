"""Which trace a job is in, and the ids of its spans: the same after each restart of who asks.

`traces.py` makes the spans of a job with it, and the sessions of the job get their `TRACEPARENT` by
it (`domain.trace_context`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from job_execution_framework.domain import trace_context

TRACE_BYTES = 16
_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
Attributes = Mapping[str, str | int]


def is_traceparent(text: str) -> bool:
    """Whether a text is a traceparent, of version 00 of the W3C's Trace Context."""
    found = _TRACEPARENT.fullmatch(text)
    return bool(found and found[1].strip("0") and found[2].strip("0"))


@dataclass(frozen=True)
class TracedJob:
    """A job, in a trace of its own or in that of what the job was asked for by."""

    uid: str
    """What tells it from all other jobs."""
    title: str
    """What its span is called after: if possible the same for jobs that do the same."""
    attributes: Attributes
    """What all of its spans say."""
    parent: str = ""
    """The `traceparent` of what it was asked for by; anything else counts as none."""
    pod_of: Callable[[str], str] | None = None
    """Returns the Pod of a session run; None where sessions are no Pods."""

    @property
    def trace_id(self) -> str:
        """The trace that it is in."""
        if is_traceparent(self.parent):
            return self.parent.split("-")[1]
        return trace_context.digest(f"enso.dev/job/{self.uid}", TRACE_BYTES)

    @property
    def parent_id(self) -> str:
        """The span that it is a part of, "" where it begins the trace."""
        return self.parent.split("-")[2] if is_traceparent(self.parent) else ""

    @property
    def span_id(self) -> str:
        """The span of the job, from which those of its parts are made."""
        return trace_context.digest(f"{self.trace_id}/job/{self.uid}", trace_context.ID_BYTES)

    def traceparent(self, *, sampled: bool) -> str:
        """Return what its plans say of it."""
        return f"00-{self.trace_id}-{self.span_id}-{int(sampled):02}"

    def part(self, *what: object) -> str:
        """Return the span of a part of it."""
        return trace_context.part_of(self.traceparent(sampled=True), *what).split("-")[2]
