"""Publishes a job's events before and after their commit, and what blocks the job.

This publisher calls a listener in the same process. `controller.event_publisher` posts Kubernetes
Events of EnsoJobs.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

from job_execution_framework.domain.events import Event
from job_execution_framework.domain.job import Job
from job_execution_framework.service_layer.unit_of_work import Listener


class Publisher:
    """Tells one listener of every commit."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    async def announce(self, job: Job, events: Sequence[Event]) -> None:
        """Publish events before their commit; repeated where the commit fails."""

    @property
    def due(self) -> float | None:
        """When `announce` is to be called even if nothing happens; None if it is not."""
        return None

    async def report_blocked(self, job: Job | None, why: str) -> None:
        """Publish what keeps the job from going on; it may be called repeatedly."""

    def committed(self, job: Job, events: Sequence[Event]) -> None:
        """Publish events that were committed."""
        self._listener(job, events)

    def reconciling(self) -> AbstractContextManager[object]:
        """Measure how long it takes to decide what is next."""
        return nullcontext()

    def committing(self) -> AbstractContextManager[object]:
        """Measure how long a commit takes."""
        return nullcontext()
