"""Drives one job of `memory_backend` until it has ended or is paused."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from enso_operator.coordinator.actor import Actor
from enso_operator.coordinator.inbox import Message, Wake
from enso_operator.coordinator.planner import Planner
from enso_operator.coordinator.progress_budget import ProgressBudget
from enso_operator.coordinator.publisher import Publisher
from enso_operator.observability.tracing import JobTrace
from enso_operator.sessions.local.sessions import LocalSessions
from job_execution_framework.domain.actions import Cancel
from job_execution_framework.domain.cause import Cause, Reason, printable
from job_execution_framework.domain.events import Event, FinallyCancelled, JobFailed
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.steps import Step
from job_execution_framework.domain.transitions import ENDED, JobState
from job_execution_framework.service_layer import services
from job_execution_framework.service_layer.clock import Clock
from job_execution_framework.service_layer.library import Library
from job_execution_framework.service_layer.observations import Ended, Observations
from job_execution_framework.service_layer.unit_of_work import (
    InMemoryJobUnitOfWork,
    InMemoryRepository,
)

LINGER_SECONDS = 10.0
"""How long a session's process may take to exit after its last record."""
_log = logging.getLogger(__name__)


def has_work(job: Job) -> bool:
    """Whether an executed job has work to do; a paused job has none."""
    return job.open_run is not None or not (job.finished or job.state is JobState.SUSPENDED)


@dataclass(frozen=True)
class _Changed(Wake):
    """A request has changed the stored job."""

    acted_on: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the session has been sent its control after the change, or no session is left."""


class _Actor(Actor):
    """An actor whose job is also changed by HTTP requests."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._loaded: list[_Changed] = []
        """The changes that were loaded, and not acted on yet."""
        self._is_over = False

    async def changed(self) -> None:
        """Notify the actor that the stored job was changed; return when it has acted on that."""
        if not self._is_over:
            change = _Changed()
            self._inbox.put_nowait(change)
            await change.acted_on.wait()

    async def drive(self) -> None:
        """Drive the job. No request waits for an actor that has returned."""
        try:
            await super().drive()
        finally:
            self._is_over = True
            while not self._inbox.empty():
                self._note(self._inbox.get_nowait())
            self._answer()

    def take(self, message: Message) -> None:
        """Load the job again after a request has changed it. No turn of the actor runs now."""
        self._note(message)
        super().take(message)

    async def act(self, job: Job) -> None:
        """Act on the job; then answer the requests that had changed it before."""
        await super().act(job)
        self._answer()

    def _note(self, message: Message) -> None:
        if isinstance(message, _Changed):
            self.job_uow.jobs.forget(self.job_id)
            self._loaded.append(message)

    def _answer(self) -> None:
        for change in self._loaded:
            change.acted_on.set()
        self._loaded.clear()

    def may_rest(self, job: Job, step: Step) -> bool:
        """Whether the job is paused and has no running session, so that its slot is free."""
        del step
        return not has_work(job) and not self.has_messages()


class Drive:
    """Runs the sessions of one job while `run` runs."""

    def __init__(
        self,
        job_id: str,
        repository: InMemoryRepository,
        library: Library,
        folder: Path,
        progress_budget: ProgressBudget,
        trace: JobTrace,
    ) -> None:
        self._progress_budget, self._trace = progress_budget, trace
        self._job_id, self._repository, self._library = job_id, repository, library
        self._folder = folder
        self._actor: _Actor | None = None

    async def run(self, clock: Clock) -> None:
        """Drive the job until it has ended or is paused; then no process of it runs any more."""
        sessions, patience = LocalSessions(self._folder), 0.0
        try:
            await self._drive(sessions, clock)
            patience = LINGER_SECONDS
        finally:
            await sessions.reap(patience)
            self._actor = None

    async def changed(self) -> None:
        """Have a change of the stored job acted on; then its session has the new control."""
        if self._actor:
            await self._actor.changed()

    def cancel(self, why: str) -> bool:
        """Cancel the job; return False if it is not being driven."""
        if self._actor:
            self._actor.ask(Cancel(why=why, without_finally=True))
        return self._actor is not None

    async def _drive(self, sessions: LocalSessions, clock: Clock) -> None:
        self._actor = _Actor(
            self._job_id,
            InMemoryJobUnitOfWork(self._repository),
            sessions,
            Planner(self._library, self._trace.traceparent),
            clock,
            Publisher(self._told),
            progress_budget=self._progress_budget,
        )
        try:
            await self._actor.drive()
        except Exception as error:  # noqa: BLE001  # any error must become visible in the job
            _log.exception("job %s: driving it failed", self._job_id)
            await sessions.reap(0)
            what = f"{type(error).__name__}: {error}"
            cause = Cause(Reason.SESSION_LOST, printable(f"enso broke: {what}"))
            self._fail_job(cause, clock.now())

    def _told(self, job: Job, events: Sequence[Event]) -> None:
        log_events(job, events)
        self._trace.committed(job, events)

    def _fail_job(self, cause: Cause, now: float) -> None:
        """Record the failure of a job whose actor broke and whose session was ended."""
        ended = Ended(log_is_complete=False, cause=cause)
        with InMemoryJobUnitOfWork(self._repository) as uow:
            uow.listeners.append(self._told)
            job = uow.jobs.get(self._job_id)
            if job.open_run:
                services.reconcile(job, Observations(ended=ended), now)
            if job.state not in ENDED:
                job.record(JobFailed(at=now, cause=cause))
            if job.cleans_up:
                job.record(FinallyCancelled(at=now, why=str(cause)))
            uow.commit()


def log_events(job: Job, events: Sequence[Event]) -> None:
    """Write the events of a job to the server's log."""
    for event in events:
        _log.info("%s: %s", job.id, event)
