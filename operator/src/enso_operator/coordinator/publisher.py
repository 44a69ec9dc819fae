"""What an actor tells others of its job: before a commit, after it, and what blocks the job.

This one tells a listener of commits, which is enough for jobs of one process. For EnsoJobs there is
`controller.event_publisher`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

from job_execution_framework.domain.events import Event
from job_execution_framework.domain.job import Job

Listener = Callable[[Job, Sequence[Event]], None]
"""Told of every commit: the job, and the events that are new in it."""


class Publisher:
    """Tells one listener of every commit."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    async def announce(self, job: Job, events: Sequence[Event]) -> None:
        """Tell of events that are about to be committed; it may happen again."""

    async def report_blocked(self, job: Job | None, why: str) -> None:
        """Tell what keeps the job from going on; it may happen again."""

    def committed(self, job: Job, events: Sequence[Event]) -> None:
        """Tell of events that were committed."""
        self._listener(job, events)

    def reconciling(self) -> AbstractContextManager[object]:
        """Measure how long it takes to decide what is next."""
        return nullcontext()

    def committing(self) -> AbstractContextManager[object]:
        """Measure how long a commit takes."""
        return nullcontext()
