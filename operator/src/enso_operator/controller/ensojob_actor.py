"""The actor of an EnsoJob: takes objects from the watch, and posts Kubernetes Events."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Literal

from enso_operator.controller.action_processor import ActionProcessor
from enso_operator.controller.event_publisher import EventPublisher
from enso_operator.controller.queued_jobs import QueuedJob
from enso_operator.coordinator.actor import OPEN, STORE, Actor
from enso_operator.coordinator.planner import Planner
from enso_operator.coordinator.progress_budget import ProgressBudget
from enso_operator.coordinator.sessions import Sessions
from enso_operator.kube.client import Forbidden, waiting
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.kube.status.action import Result
from enso_operator.kube.status.conditions import shown_state
from enso_operator.kube.status.waits import waits_in
from enso_operator.kube.templates import TemplateMissing
from enso_operator.kube.unit_of_work import KubernetesJobUnitOfWork
from enso_operator.on_loop import on_loop
from job_execution_framework.domain.actions import Action, Cancel, Suspend, Unsuspend
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.errors import (
    EnsoError,
    InvalidJob,
    JobNotFound,
    NotYet,
    Unavailable,
    Unreadable,
)
from job_execution_framework.domain.events import COORDINATOR
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.steps import Step, Wait
from job_execution_framework.domain.transitions import JobState
from job_execution_framework.service_layer.clock import Clock
from job_execution_framework.service_layer.unit_of_work import (
    InMemoryJobUnitOfWork,
    InMemoryRepository,
)


class NoJob(EnsoError):
    """The EnsoJob's spec makes no job, or its status cannot be read; a retry does not help."""


class NoJobYet(EnsoError):
    """The EnsoJob is a run of a template that is not there: it is looked for again later."""


REST_SECONDS = 5.0
"""A job without a session that waits at least so long is held without an actor meanwhile."""
TEMPLATE_SECONDS = 1.0
"""The first pause before a missing template is looked for again; the reconciler makes it longer."""
PACE_SECONDS = 1.0
"""Delay of writes that nothing waits for: a short job is then written once, at its end."""
READ_ACTION, WRITE_ACTION = "read action", "write action"
"""Calls about EnsoActions that may fail and are tried again; keys of `Obstacles`."""
_log = logging.getLogger(__name__)


class EnsoJobActor(Actor):
    """Drives the job of one EnsoJob, from its first sight or from wherever it stands."""

    def __init__(  # noqa: PLR0913  # one for each part that it drives the job with
        self,
        *,
        job_uow: KubernetesJobUnitOfWork,
        sessions: Sessions,
        planner: Planner,
        clock: Clock,
        publisher: EventPublisher,
        action_processor: ActionProcessor,
        progress_budget: ProgressBudget,
        on_loaded: Callable[[EnsoJobObject], None] | None = None,
    ) -> None:
        """Take the parts; `on_loaded` gets the EnsoJob after each load."""
        name, parts = publisher.ensojob.name, (sessions, planner, clock, publisher)
        self._uid = publisher.ensojob.uid
        super().__init__(name, job_uow, *parts, PACE_SECONDS, progress_budget, on_loop)
        self._objects, self._events, self._action_processor = job_uow, publisher, action_processor
        self._on_loaded = on_loaded
        self.unread: EnsoJobObject | None = None
        """The EnsoJob as the watch showed it, until it is loaded; None where nothing is new."""
        self.gave_up = False
        """Whether there was no job to drive, as its spec makes none or its template is missing."""
        self.wakes_in: float | None = None
        """After `drive` returned early: the seconds until something is due; None if nothing is."""
        self.queued: QueuedJob | None = None
        """After `drive` returned early: what the next actor needs where the job is queued."""
        self.waits_since: float | None = None
        """Since when the job has waited for what `committed_waits` says; None where it does not."""
        self.on_started: Callable[[], object] = lambda: None
        """Called whenever a commit was acted on, as the session was released or something is waited
        for, or is refused: whatever more the job needs, others may start meanwhile."""
        self._loaded_run = ""
        """Name of the session run that was open when the job was loaded."""
        self._is_deleted = asyncio.Event()
        self.on_event(publisher.ensojob)

    @property
    def progress_key(self) -> str:
        """What tells the job from those of other namespaces."""
        return self._uid

    @property
    def ensojob(self) -> EnsoJobObject:
        """The EnsoJob as it was last loaded or written."""
        return self._events.ensojob

    def on_event(self, ensojob: EnsoJobObject) -> None:
        """Take the EnsoJob as a watch brought it."""
        self.unread = ensojob
        self.wake()

    @property
    def newest(self) -> EnsoJobObject:
        """The newest known version of the EnsoJob."""
        return max(
            self.ensojob, self.unread or self.ensojob, key=lambda ensojob: int(ensojob.version)
        )

    @property
    def is_deleted(self) -> bool:
        """Whether the EnsoJob was deleted: another one may have its name."""
        return self._is_deleted.is_set()

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds, or as soon as the EnsoJob is deleted."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._is_deleted.wait()

    @property
    def has_ended(self) -> bool:
        """Whether the job has ended as far as it is known here; that may just be being written."""
        job = self.last_known_job()
        return job is None or job.finished

    def deleted(self) -> None:
        """Take the deletion of the EnsoJob."""
        self._is_deleted.set()
        self.gone(f"job {self.job_id} is gone: somebody deleted it")

    async def drive(self) -> None:
        """Return when the job has ended, or may rest. A deleted job's open session is ended first.

        Raises NoJob.
        """
        try:
            await super().drive()
        except NoJobYet as error:
            _log.info("%s/%s waits: %s", self.ensojob.namespace, self.job_id, error)
        except JobNotFound as error:
            job = self._as_committed()
            if job is None or job.open_run is None:
                return
            _log.info("%s/%s: %s", self.ensojob.namespace, self.job_id, error)
            self.unread = None
            await self._successor(job).drive()

    def _as_committed(self) -> Job | None:
        """Return the last known job of a deleted EnsoJob; an uncommitted session never started."""
        if job := self.last_known_job():
            return job
        try:
            return self.ensojob.job()
        except (InvalidJob, Unreadable):
            return None

    def _successor(self, job: Job) -> Actor:
        """Return an actor that ends a deleted job's session, with the job in memory only."""
        actor = Actor(
            job.id,
            InMemoryJobUnitOfWork(InMemoryRepository({job.id: job.copy()})),
            *(self.sessions, self.planner, self.clock, self.publisher),
            PACE_SECONDS,
        )
        self.hand_over(actor)
        actor.ask(Cancel(why="its EnsoJob was deleted", without_finally=True))
        return actor

    async def _on_unavailable(self, trying: str, error: Unavailable) -> int:
        """Do the same; a status that breaks a rule of somebody's holds up no other job's start.

        Where the operator may write none (403), others would start only to wait as well.
        """
        is_ours_alone = isinstance(error, NotYet) and not isinstance(error.__cause__, Forbidden)
        if trying == STORE and is_ours_alone:
            self.on_started()
        return await super()._on_unavailable(trying, error)

    async def load(self) -> Job:
        """Return the job; loaded from the object of the watch where that is newer."""
        if self.unread:
            self._objects.hand_in(self.unread)
            self.unread = None
        before = self._job
        try:
            with waiting():
                job = await super().load()
        except TemplateMissing as error:
            await self._postpone(error)
            raise NoJobYet(str(error)) from error
        except (InvalidJob, Unreadable) as error:
            if isinstance(error, InvalidJob):
                await self._refuse(str(error))
            await self._give_up("InvalidJob", error)
            raise NoJob(str(error)) from error
        self._events.ensojob = self._objects.ensojob(self.job_id)
        if job is not before:
            self.committed_waits = waits_in(self.ensojob.status, job)
            self._loaded_run = job.open_run.run if job.open_run else ""
        if self._on_loaded:
            self._on_loaded(self.ensojob)
        self.set_spec_actions(*spec_actions_of(self.ensojob))
        return job

    def waits(self, job: Job) -> Cause | None:
        """Return the same; what the status says until its open session is heard of."""
        run = job.open_run.run if job.open_run else ""
        is_unheard = run and run == self._loaded_run and not self._follower.has_heard
        return super().waits(job) or (self.committed_waits if is_unheard else None)

    async def _give_up(
        self, reason: Literal["InvalidJob", "TemplateNotFound"], error: EnsoError
    ) -> None:
        """Refuse all EnsoActions on what is no job."""
        self._events.ensojob, self.gave_up = self._objects.ensojob(self.job_id), True
        why = f"job {self.job_id} cannot be acted on: {error}"
        await self._action_processor.refuse_all(
            self._action_processor.pending_actions, Result(reason, why), self.ensojob
        )

    async def _postpone(self, error: TemplateMissing) -> None:
        """Tell that the job waits for its template, and then write it, so that it is told once."""
        waits = Cause(Reason.TEMPLATE_NOT_FOUND, str(error))
        if not self._objects.says(self.job_id, waits):
            await self.report_blocked(str(error))
            with waiting():
                await on_loop(self._objects.postpone, self.job_id, waits, self.clock.now())
        self.wakes_in = TEMPLATE_SECONDS
        await self._give_up("TemplateNotFound", error)

    async def _refuse(self, why: str) -> None:
        """Write that the EnsoJob makes no job; an unreadable status is not replaced."""
        await self.report_blocked(why)  # before the write that ends a `kubectl wait`
        with suppress(Unreadable), waiting():
            await on_loop(self._objects.refuse, self.job_id, why, self.clock.now())

    async def obey(self, job: Job) -> None:
        """Do the actions that the spec requests, and the next EnsoAction."""
        await super().obey(job)
        await self.attempt(
            READ_ACTION, partial(self._action_processor.decide_next, job, self.ensojob)
        )
        if self._action_processor.needs_commit:
            await super().obey(job)  # the spec may suspend a job that was just resumed
            self._action_processor.set_outcome(job)

    def is_urgent(self, job: Job, step: Step) -> bool:
        """Whether an action, or the next step, waits for this commit."""
        return self._action_processor.needs_commit or super().is_urgent(job, step)

    async def act(self, job: Job) -> None:
        """Act on the job's session, and write the status of an EnsoAction."""
        await super().act(job)
        if self._action_processor.needs_status:
            await self.attempt(WRITE_ACTION, self._write_action_status)
        self.on_started()

    async def _write_action_status(self) -> None:
        await self._action_processor.write_status(self.ensojob)
        self.wake()  # another action may wait for this one

    def may_end(self, job: Job) -> bool:
        """Whether the job has ended, and no EnsoAction waits."""
        return super().may_end(job) and not self._action_processor.has_work

    def may_rest(self, job: Job, step: Step) -> bool:
        """Whether there is no work until the EnsoJob is changed, or for REST_SECONDS at least."""
        if self._action_processor.has_work:
            return False
        if job.open_run or not isinstance(step, Wait):
            return False
        queued = self._obstacles.far_back(OPEN)
        if self.has_news(job) or self.has_messages() or (self.waits(job) and not queued):
            return False
        self.wakes_in = None if step.until is None else step.until - self.clock.now()
        rests = self.wakes_in is None or self.wakes_in >= REST_SECONDS
        if rests and queued:
            obstacle = self._obstacles.hand_over(OPEN)
            self.queued = QueuedJob(obstacle, self.committed_waits, self.waits_since)
        return rests

    def go_on_waiting(self, queued: QueuedJob) -> None:
        """Wait where the job's last actor did, before this one drives it."""
        self.committed_waits, self.waits_since = queued.waits, queued.since
        self._obstacles.take_over(OPEN, queued.obstacle)
        queued.obstacle.when_its_turn(self.wake)

    async def commit(self, job: Job, step: Step, waits: Cause | None) -> None:
        """Commit, and keep the object that the write returned."""
        if waits is not self.committed_waits:
            self._objects.jobs.touch(job.id)
            if waits:
                await self._tell(waits, job)
        self._objects.location = replace(self.sessions.location, waits=waits)
        with waiting():
            await super().commit(job, step, waits)
        self.waits_since = (self.waits_since or self.clock.now()) if waits else None
        self._action_processor.was_committed()
        self._events.ensojob = self._objects.ensojob(self.job_id)
        # What sessions told is in the status, which is made of the other events.
        kept = [event for event in job.events[:-1] if event.origin in (COORDINATOR, "")]
        self.keep_events(job, kept + job.events[-1:])

    async def _tell(self, waits: Cause, job: Job) -> None:
        """Tell why the job waits before its status says so: whoever reads that tells it no more."""
        if job.open_run and waits == self.sessions.location.waits:
            is_late = shown_state(job) is JobState.WAITING
            await self.report_blocked(
                f"{job.open_run.run}{' has not begun' if is_late else ''}: {waits}"
            )
        elif self._obstacles.is_reportable(waits, self.clock.now()):
            await self.report_blocked(waits.message)


def spec_actions_of(ensojob: EnsoJobObject) -> tuple[tuple[Action, ...], Cause | None]:
    """Return what the object's spec and deletion ask for, and why the job cannot go on so."""
    wishes: list[Action] = [Suspend() if ensojob.is_suspended else Unsuspend()]
    if ensojob.is_being_deleted:
        wishes.append(Cancel(why="its EnsoJob is being deleted", without_finally=True))
    broken = Cause(Reason.INVALID_JOB, ensojob.broken) if ensojob.broken else None
    return tuple(wishes), broken
