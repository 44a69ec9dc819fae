"""An actor whose job is an EnsoJob: it sees what its watch brings, and tells Kubernetes Events."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache

from enso_operator.blocking import in_thread
from enso_operator.controller.event_publisher import EventPublisher
from enso_operator.coordinator.actor import Actor, Listener
from enso_operator.coordinator.obstacles import is_same
from enso_operator.coordinator.sessions import Sessions
from enso_operator.kube.client import Document, waiting
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.kube.event_recorder import Recorder
from enso_operator.kube.status.conditions import shown_state
from enso_operator.kube.unit_of_work import KubernetesJobUnitOfWork
from enso_operator.observability.metrics import Metrics
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.errors import (
    EnsoError,
    InvalidJob,
    JobNotFound,
    NotYet,
    ScriptNotFound,
    Unreadable,
)
from job_execution_framework.domain.events import COORDINATOR, Event
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import Missing
from job_execution_framework.domain.steps import Open, Step, Wait
from job_execution_framework.domain.transitions import JobState
from job_execution_framework.service_layer.clock import Clock
from job_execution_framework.service_layer.library import Library, resolved
from job_execution_framework.service_layer.observations import Cancel, Observations
from job_execution_framework.service_layer.plan import Plan
from job_execution_framework.service_layer.unit_of_work import (
    InMemoryJobUnitOfWork,
    InMemoryRepository,
)


class NoJob(EnsoError):
    """An EnsoJob, as it is, makes no job, or its status cannot be read: no other try helps."""


REST_SECONDS = 5.0
"""A job that waits at least so long, and has no session, needs no actor meanwhile."""
PACE_SECONDS = 1.0
"""Progress is written so much later: a short job's last write has all of it."""
LIBRARY_PATIENCE_SECONDS = 10.0
"""A job may be let go so long before the EnsoScripts that it names: files have an order."""
_log = logging.getLogger(__name__)


class EnsoJobActor(Actor):
    """Drives the job of one EnsoJob, from its first sight or from wherever it stands."""

    def __init__(  # noqa: PLR0913  # what the base class needs, and the two things of its own
        self,
        ensojob: EnsoJobObject,
        *,
        job_uow: KubernetesJobUnitOfWork,
        sessions: Sessions,
        library: Library,
        clock: Clock,
        listener: Listener,
        recorder: Recorder,
        metrics: Metrics,
    ) -> None:
        super().__init__(ensojob.name, job_uow, sessions, library, clock, listener, PACE_SECONDS)
        self.ensojob = ensojob
        """The EnsoJob as it was last loaded or written."""
        self.unread: Document | None = None
        """The EnsoJob as it was last seen, where that is news."""
        self.gave_up = False
        """Whether the EnsoJob is none that can be worked with, as it is."""
        self.wakes_in: float | None = None
        """Where it rests: the seconds until something is due."""
        self._is_deleted = asyncio.Event()
        self._objects, self._metrics = job_uow, metrics
        self._waits: Cause | None = None
        """What the status says that the job waits for."""
        self._publisher = EventPublisher(recorder, metrics, clock)
        self.on_event(ensojob.document)

    def on_event(self, document: Document) -> None:
        """Take the EnsoJob as a watch brought it."""
        self.unread = document
        self._inbox.put_nowait(Observations())

    @property
    def newest(self) -> EnsoJobObject:
        """The newest that is known of the EnsoJob."""
        unread = EnsoJobObject(self.unread) if self.unread else self.ensojob
        return max(self.ensojob, unread, key=lambda seen: int(seen.version))

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds, or as soon as the EnsoJob is gone."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._is_deleted.wait(), seconds)

    def deleted(self) -> None:
        """Hear that the EnsoJob is gone."""
        self._is_deleted.set()
        self._inbox.put_nowait(JobNotFound(f"job {self.job_id} is gone: somebody deleted it"))

    async def drive(self) -> None:
        """Return when the job has ended, or rests. One that is deleted is ended, as far as it ran.

        Raises NoJob.
        """
        try:
            await super().drive()
        except JobNotFound as error:
            job = self._as_committed()
            if job is None or job.open_run is None:
                return
            _log.info("%s/%s: %s", self.ensojob.namespace, self.job_id, error)
            self._go_on_without_it(job)
            await super().drive()

    def _as_committed(self) -> Job | None:
        """Return what is known of a job that is gone; what was not committed was never let go."""
        if self._job and self._job.open_run not in self._job.events[self._committed :]:
            return self._job
        try:
            return self.ensojob.job()
        except (InvalidJob, Unreadable):
            return None

    def _go_on_without_it(self, job: Job) -> None:
        """Keep the job here until its session has ended: there is nowhere else any more."""
        self.job_uow = InMemoryJobUnitOfWork(InMemoryRepository({job.id: job.copy()}))
        self._job, self.unread, self._followed = None, None, ""
        self._wish = Observations(cancel=Cancel(why="its EnsoJob was deleted"))

    async def load(self) -> Job:
        """Return the job as the watch brought it, where that is newer than what is known."""
        if self.job_uow is not self._objects:
            return await super().load()
        if self.unread:
            self._objects.hand_in(self.unread)
            self.unread = None
        try:
            with waiting():
                job = await super().load()
        except (InvalidJob, Unreadable) as error:
            if isinstance(error, InvalidJob):
                await self._refuse(str(error))
            self.ensojob, self.gave_up = self._objects.seen(self.job_id), True
            raise NoJob(str(error)) from error
        self.ensojob = self._objects.seen(self.job_id)
        self._wish = wish_of(self.ensojob)
        return job

    async def _refuse(self, why: str) -> None:
        """Write that the EnsoJob makes no job, for good; a status that is none stays as it is."""
        await self.report_blocked(why)  # before the write that ends a `kubectl wait`
        with suppress(Unreadable), waiting():
            await in_thread(self._objects.refuse, self.job_id, why, self.clock.now())

    def waits(self, job: Job) -> Cause | None:
        """Return what keeps the job from going on: the API server, or what its Pod lacks."""
        return super().waits(job) or (self.sessions.location.waits if job.open_run else None)

    def has_news(self, job: Job) -> bool:
        """Whether there is something to be committed; that the job waits is news, too."""
        return super().has_news(job) or not is_same(self.waits(job), self._waits)

    def may_rest(self, job: Job, step: Step) -> bool:
        """Whether nothing is to be done until the EnsoJob is changed, or for long."""
        if job.open_run or not isinstance(step, Wait) or self.job_uow is not self._objects:
            return False
        if self.has_news(job) or self.waits(job) or not self._inbox.empty():
            return False
        self.wakes_in = None if step.until is None else step.until - self.clock.now()
        return self.wakes_in is None or self.wakes_in >= REST_SECONDS

    async def commit(self, job: Job, step: Step) -> None:
        """Make it durable, and remember the object as it is now."""
        waits, placed = self.waits(job), self.sessions.location
        if is_same(waits, self._waits):
            waits = self._waits
        elif self.job_uow is self._objects:
            self._objects.jobs.touch(job.id)
            if waits and job.open_run and waits == placed.waits:
                is_late = shown_state(job) is JobState.WAITING
                await self.report_blocked(
                    f"{job.open_run.run}{' has not begun' if is_late else ''}: {waits}"
                )
        self._objects.location = replace(placed, waits=waits)
        with waiting(), self._metrics.committing():
            await super().commit(job, step)
        self._waits = waits
        if self.job_uow is self._objects:
            self.ensojob = self._objects.seen(self.job_id)
            self._forget_what_sessions_told(job)
            self._publisher.committed()

    def _forget_what_sessions_told(self, job: Job) -> None:
        """Hold only the events that a status could be made of: it has the rest, and was written."""
        ours, last = (COORDINATOR, ""), job.events[-1:]
        kept = [event for event in job.events[:-1] if event.origin in ours] + last
        self._objects.jobs.keep(job.id, kept)
        self._committed = self._announced = len(kept)

    async def fold(self, job: Job, seen: Observations) -> Step:
        """Fold what was seen, and decide."""
        with self._metrics.reconciling():
            return await super().fold(job, seen)

    async def plan(self, job: Job, step: Open) -> Plan:
        """Return the plan. Before anything of the job runs, all of its scripts must be there."""
        library = Remembered(self.library)
        with waiting():
            if not job.runs:
                self.sessions.check(job.scripts)
                await in_thread(self._find_all, job, library)
            return await in_thread(Plan.of, job, step, library)

    def _find_all(self, job: Job, library: Library) -> None:
        """Raise ScriptNotFound where one is missing, or NotYet while it may still come."""
        for script in job.scripts:
            work = resolved(script.work, library)
            if not isinstance(work, Missing):
                continue
            why = f"script {script.name!r}: {work.why}"
            since = job.resumed_at or job.started_at or 0  # our own time, not the API server's
            if self.clock.now() < since + LIBRARY_PATIENCE_SECONDS:
                raise NotYet(why, Reason.SCRIPT_NOT_FOUND)
            raise ScriptNotFound(why)

    def take(self, heard: Observations | Exception) -> None:
        """Keep what was heard. That the object is gone is news only once."""
        if not isinstance(heard, JobNotFound) or self.job_uow is self._objects:
            super().take(heard)

    async def announce(self, job: Job, events: Sequence[Event]) -> None:
        """Post what is new as Kubernetes Events; the commit after it ends a `kubectl wait`."""
        if job.events and self._is_first_sight():
            events = [job.events[0], *events]  # that it was added, which its creation says
        await self._publisher.tell(self.ensojob, job, events)

    async def report_blocked(self, why: str) -> None:
        """Say once, as an Event, what keeps the job from going on."""
        await self._publisher.report_blocked(self.ensojob, self._job, why)

    def _is_first_sight(self) -> bool:
        return self.job_uow is self._objects and not self.ensojob.raw_status.get("conditions")


def wish_of(ensojob: EnsoJobObject) -> Observations:
    """Return what the user wants, as the object says that is decided about."""
    cancel = Cancel(why="its EnsoJob is being deleted") if ensojob.is_being_deleted else None
    return Observations(
        suspend=ensojob.is_suspended,
        cancel=cancel,
        broken=Cause(Reason.INVALID_JOB, ensojob.broken) if ensojob.broken else None,
    )


class Remembered:
    """A library that is asked once for each script: a job names one script many times."""

    def __init__(self, library: Library) -> None:
        self.find = cache(library.find)
