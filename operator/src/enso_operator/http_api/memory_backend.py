"""Jobs in this process's memory, run by sessions on this machine: the API without a cluster."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from enso_operator.coordinator.actor import Actor
from enso_operator.coordinator.planner import Planner
from enso_operator.coordinator.publisher import Publisher
from enso_operator.http_api.memory_size import memory_of
from enso_operator.http_api.port import Busy, Instructions, Shown
from enso_operator.sessions.local.guardian import Guardian
from enso_operator.sessions.local.sessions import OUTPUT, LocalSessions
from job_execution_framework.domain.actions import Cancel
from job_execution_framework.domain.cause import Cause, Reason, printable
from job_execution_framework.domain.errors import JobAlreadyStarted, JobNotFound
from job_execution_framework.domain.events import Event, JobFailed, SessionOpened
from job_execution_framework.domain.failure_card import failure_card
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.transitions import ENDED, JobState
from job_execution_framework.service_layer import services
from job_execution_framework.service_layer.clock import SystemClock
from job_execution_framework.service_layer.library import Library, ScriptLibrary
from job_execution_framework.service_layer.observations import Ended, Observations
from job_execution_framework.service_layer.unit_of_work import (
    InMemoryJobUnitOfWork,
    InMemoryRepository,
)

LINGER_SECONDS = 10.0
"""How long a session's process may take to exit after its last record."""
STOP_SECONDS = 2.5
"""How long running scripts have for their clean-up when the server stops."""
KILL_SECONDS = 1.0
"""How long the end of those that were killed is waited for."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """Limits of the server's memory and of the machine's load."""

    sessions: int = 2 * (os.cpu_count() or 1)
    """Jobs that run at once; others wait for their turn."""
    ended: int = 1000
    """Jobs that have ended and can still be asked for."""
    live: int = 1000
    """Jobs that have not ended."""
    memory_bytes: int = 64 * 1024 * 1024
    """Memory of all jobs together: their instructions, what happened, what scripts returned."""


class EmbeddedJobs:
    """Implements `port.Jobs`. Runs jobs as long as it is entered."""

    def __init__(self, library: Library | None = None, limits: Limits | None = None) -> None:
        self._library, self._limits = library or ScriptLibrary(), limits or Limits()
        self._repository, self._clock = InMemoryRepository(), SystemClock()
        self._root = Path()
        self._guardian: Guardian | None = None
        self._slots = asyncio.Semaphore(self._limits.sessions)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._actors: dict[str, Actor] = {}
        self._sizes: dict[str, int] = {}
        """The jobs that are kept, with the memory that each takes."""
        self._ended: dict[str, None] = {}
        """Those of them that have ended, in the order in which they did."""

    async def __aenter__(self) -> Self:
        self._root = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="enso-serve-"))
        self._guardian = await asyncio.to_thread(Guardian.of, self._root)
        return self

    async def __aexit__(self, *_: object) -> None:
        """End running scripts with a grace period, then kill them; remove all folders."""
        for job_id, task in self._tasks.items():
            if actor := self._actors.get(job_id):
                actor.ask(Cancel(why="the server is stopping"))
            else:
                task.cancel()
        if tasks := set(self._tasks.values()):
            late = (await asyncio.wait(tasks, timeout=STOP_SECONDS))[1]
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=KILL_SECONDS)
        await asyncio.to_thread(_remove, self._root)
        if self._guardian:
            await asyncio.to_thread(self._guardian.dismiss)

    async def add(self, instructions: Instructions) -> str:
        """Add a job that waits; raise Busy where there is no room."""
        size = await asyncio.to_thread(memory_of, instructions)
        live = [kept for job_id, kept in self._sizes.items() if job_id not in self._ended]
        if len(live) >= self._limits.live or sum(live) + size > self._limits.memory_bytes:
            raise Busy(
                f"there is no room for another job beside the {len(live)} that have not ended: "
                "execute those that wait, and try again when some have ended"
            )
        doomed = self._forget(size)
        uow = InMemoryJobUnitOfWork(self._repository)
        job_id = services.add(instructions, job_uow=uow, clock=self._clock)
        self._sizes[job_id] = size
        await asyncio.to_thread(_remove, *doomed)
        return job_id

    async def list(self) -> list[tuple[str, str]]:
        """Return the id and the state of each job."""
        with self._repository.lock:
            return [(job.id, str(job.state)) for job in self._repository.jobs.values()]

    async def get(self, job_id: str) -> Shown:
        """Return the job as it is now, and why it failed."""
        job = self._load(job_id)
        runs = [event.run for event in job.events if isinstance(event, SessionOpened)]
        log = str(self._root / job_id / runs[-1] / OUTPUT) if runs else ""
        return Shown(job.id, str(job.state), failure_card(job, log=log), job)

    async def execute(self, job_id: str) -> str:
        """Start a task that drives the job, once."""
        job = self._load(job_id)
        if job_id in self._tasks or job.state is not JobState.WAITING:
            why = f"was executed before and is {job.state}; to run it once more, add it again"
            raise JobAlreadyStarted(f"job {job_id} {why}")
        self._tasks[job_id] = asyncio.create_task(self._run(job_id))
        return str(job.state)

    def _load(self, job_id: str) -> Job:
        try:
            return InMemoryJobUnitOfWork(self._repository).jobs.get(job_id)
        except JobNotFound as error:
            raise JobNotFound(
                f"{error}; jobs are kept since this server started, and of those that have ended "
                f"the last {self._limits.ended}"
            ) from error

    async def _run(self, job_id: str) -> None:
        """Drive one job to its end, when its turn comes. Nothing of it is left running."""
        sessions = LocalSessions(self._root / job_id)
        patience = 0.0
        try:
            async with self._slots:
                try:
                    await self._drive(job_id, sessions)
                    patience = LINGER_SECONDS
                finally:
                    await sessions.reap(patience)
        except Exception:  # noqa: BLE001  # without this nobody would ever hear of it
            _log.exception("job %s: giving it up failed", job_id)
        finally:
            del self._tasks[job_id]
            self._actors.pop(job_id, None)
        job = self._load(job_id)
        self._sizes[job_id] = await asyncio.to_thread(memory_of, (job.scripts, job.events))
        self._ended[job_id] = None
        await asyncio.to_thread(_remove, *self._forget(0))

    async def _drive(self, job_id: str, sessions: LocalSessions) -> None:
        uow = InMemoryJobUnitOfWork(self._repository)
        planner = Planner(self._library)
        actor = Actor(job_id, uow, sessions, planner, self._clock, Publisher(_tell))
        self._actors[job_id] = actor
        try:
            await actor.drive()
        except Exception as error:  # noqa: BLE001  # whatever it is, the job's user must know
            _log.exception("job %s: driving it failed", job_id)
            await sessions.reap(0)
            what = f"{type(error).__name__}: {error}"
            self._give_up(job_id, Cause(Reason.SESSION_LOST, printable(f"enso broke: {what}")))

    def _give_up(self, job_id: str, cause: Cause) -> None:
        """Fail a job that nobody drives any more and whose session is gone."""
        now, ended = self._clock.now(), Ended(log_is_complete=False, cause=cause)
        with InMemoryJobUnitOfWork(self._repository) as uow:
            job = uow.jobs.get(job_id)
            if job.open_run:
                services.reconcile(job, Observations(ended=ended), now)
            if job.state not in ENDED:
                job.record(JobFailed(at=now, cause=cause))
            uow.commit()

    def _forget(self, size: int) -> tuple[Path, ...]:
        """Forget ended jobs, the oldest first, where `size` more would not fit; return folders."""
        doomed: list[Path] = []
        room = self._limits.memory_bytes - size - sum(self._sizes.values())
        while self._ended and (room < 0 or len(self._ended) > self._limits.ended):
            job_id = next(iter(self._ended))
            del self._ended[job_id]
            room += self._sizes.pop(job_id)
            with self._repository.lock:
                del self._repository.jobs[job_id]
            doomed.append(self._root / job_id)
        return tuple(doomed)


def _tell(job: Job, events: Sequence[Event]) -> None:
    for event in events:
        _log.info("%s: %s", job.id, event)


def _remove(*folders: Path) -> None:
    for folder in folders:
        try:
            if folder.exists():
                shutil.rmtree(folder)
        except OSError as error:
            _log.warning("%s could not be removed: %s", folder, error)
