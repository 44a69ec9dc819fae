"""The shell of `services.reconcile`: one actor per live job, which does what the job asks for.

It folds what it sees, commits, and only then acts. `enso run` and `enso serve` drive their jobs
with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.errors import (
    Conflict,
    GapInLog,
    IllegalTransition,
    InvalidJob,
)
from job_execution_framework.domain.events import Event, JobFailed, SessionOpened
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.steps import Close, ControlWord, Open, Step, Wait
from job_execution_framework.service_layer import services
from job_execution_framework.service_layer.clock import Clock
from job_execution_framework.service_layer.library import Library
from job_execution_framework.service_layer.observations import Cancel, Ended, Observations
from job_execution_framework.service_layer.plan import Plan
from job_execution_framework.service_layer.sessions import Sessions
from job_execution_framework.service_layer.unit_of_work import JobUnitOfWork

Listener = Callable[[Job, Sequence[Event]], None]
"""Told of every commit: the job, and the events that are new in it."""


@dataclass
class Actor:
    """Drives one job to its end. It stops with the job, or where it is cancelled as a task."""

    job_id: str
    job_uow: JobUnitOfWork
    sessions: Sessions
    library: Library
    clock: Clock
    listener: Listener
    _seen: asyncio.Queue[Observations | Exception] = field(
        default_factory=asyncio.Queue[Observations | Exception]
    )
    _followed: str = ""
    _follower: asyncio.Task[None] | None = None
    _told: Close | None = None
    _disbelief: Cause | None = None
    """Why the records of the open session are not believed any more."""

    def cancel(self, by: str = "", why: str = "") -> None:
        """Stop the job: its running script is ended, and the job is Cancelled."""
        self._seen.put_nowait(Observations(cancel=Cancel(by, why)))

    def suspend(self, *, suspend: bool) -> None:
        """Let the running script end and start no other, or go on."""
        self._seen.put_nowait(Observations(suspend=suspend))

    async def drive(self) -> None:
        """Return when the job has ended and nothing of it runs any more."""
        seen = Observations()
        try:
            while True:
                job, step = await self._decide(seen)
                if job.finished:
                    return
                await self._act(job, step)
                seen = await self._next(step)
        finally:
            if self._follower:
                self._follower.cancel()

    async def _decide(self, seen: Observations) -> tuple[Job, Step]:
        """Fold and commit; where somebody else committed meanwhile, load and fold again."""
        while True:
            try:
                return await self._fold(seen)
            except Conflict:
                continue

    async def _fold(self, seen: Observations) -> tuple[Job, Step]:
        with self.job_uow:
            job = self.job_uow.jobs.get(self.job_id)
            known = len(job.events)
            step = await self._reconcile(job, seen)
            if isinstance(step, Open):
                step = await self._open(job, step)
            self.job_uow.commit()
        self.listener(job, job.events[known:])
        return job, step

    async def _reconcile(self, job: Job, seen: Observations) -> Step:
        """Fold what was seen. A session that breaks the rules is ended, and not believed."""
        if self._disbelief:
            ended = seen.ended and Ended(log_is_complete=False, cause=self._disbelief)
            seen = replace(seen, records=(), ended=ended)
        try:
            return services.reconcile(job, seen, self.clock.now())
        except (GapInLog, IllegalTransition) as error:
            if not (job.run and seen.records):
                raise
            self._disbelief = Cause(Reason.SESSION_LOST, f"its records cannot be true: {error}")
            await self.sessions.close(job.run.run, job.run.uid, ControlWord.CANCEL)
            return await self._reconcile(job, seen)

    async def _open(self, job: Job, step: Open) -> Step:
        """Prepare the session, inert, and record its uid in the same commit."""
        now = self.clock.now()
        try:
            uid = await self.sessions.open(Plan.of(job, step, self.library))
        except (InvalidJob, OSError) as error:
            lost = isinstance(error, OSError)
            reason = Reason.SESSION_LOST if lost else Reason.INVALID_JOB
            job.record(JobFailed(at=now, cause=Cause(reason, str(error))))
            return Wait()
        job.record(
            SessionOpened(at=now, run=step.run, session=step.session, uid=uid, scripts=step.scripts)
        )
        return job.next(now)

    async def _act(self, job: Job, step: Step) -> None:
        run = job.run
        if run and isinstance(step, Close) and step != self._told:
            await self.sessions.close(run.run, run.uid, step.word)
            self._told = step
        if run and run.run != self._followed:
            self._followed, self._disbelief = run.run, None
            try:
                await self.sessions.release(run.run, run.uid)
            except OSError as error:
                cause = Cause(Reason.SESSION_LOST, f"it could not be started: {error}")
                self._seen.put_nowait(
                    Observations(run=run.run, ended=Ended(log_is_complete=True, cause=cause))
                )
            else:
                self._follower = asyncio.create_task(self._follow(run))

    async def _follow(self, run: SessionOpened) -> None:
        try:
            async for observations in self.sessions.follow(run.run, run.uid):
                self._seen.put_nowait(observations)
        except Exception as error:  # noqa: BLE001  # the actor raises it: no task dies silently
            self._seen.put_nowait(error)

    async def _next(self, step: Step) -> Observations:
        """Wait for something to be seen, or for the time that the step names."""
        timeout = None
        if isinstance(step, Wait) and step.until is not None:
            timeout = max(0.0, step.until - self.clock.now())
        try:
            async with asyncio.timeout(timeout):
                seen = await self._seen.get()
        except TimeoutError:
            return Observations()
        if isinstance(seen, Exception):
            raise seen
        return seen
