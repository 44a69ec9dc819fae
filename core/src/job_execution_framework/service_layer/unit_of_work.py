"""The port to the store of jobs: the only way to load and save them.

``commit()`` makes what happened durable, or raises Conflict; leaving the ``with`` block without it
rolls back. Every implementation passes the same contract tests.

Whoever wants to be told what happens adds a listener to a unit of work (docs/events.md).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import TypeVar

from job_execution_framework.domain.errors import Conflict, EnsoError, JobNotFound
from job_execution_framework.domain.events import Event
from job_execution_framework.domain.job import Job

Listener = Callable[[Job, Sequence[Event]], None]
"""Called after a commit with the job and its new events. It may read the job, not change it."""
UnitOfWorkT = TypeVar("UnitOfWorkT", bound="JobUnitOfWork")


@dataclass
class _Tracked:
    job: Job
    version: int | str | None
    """What the store called the job's state when it was loaded; None where it is new."""
    committed: int
    """How many of the job's events the store has."""
    touched: bool = False
    """The next commit stores it even without new events."""


class Jobs:
    """The jobs of a unit of work: inside ``with``, each job is loaded once and then tracked."""

    def __init__(self, unit_of_work: JobUnitOfWork) -> None:
        self._unit_of_work = unit_of_work
        self.tracked: dict[str, _Tracked] = {}

    def add(self, job: Job) -> None:
        """Track a new job; `commit` stores it, or raises Conflict where its id is taken."""
        self.tracked[job.id] = _Tracked(job, None, 0, touched=True)

    def get(self, job_id: str) -> Job:
        """Return the job, or raise JobNotFound."""
        if tracked := self.tracked.get(job_id):
            return tracked.job
        job, version = self._unit_of_work.load(job_id)
        if self._unit_of_work.entered:
            self.tracked[job_id] = _Tracked(job, version, len(job.events))
        return job

    def all(self) -> list[Job]:
        """Return every job as it was committed, the oldest first."""
        return [self._unit_of_work.load(job_id)[0] for job_id in self._unit_of_work.job_ids()]

    def touch(self, job_id: str) -> None:
        """Have the next commit store the job, even without new events."""
        self.tracked[job_id].touched = True

    def keep(self, job_id: str, events: list[Event]) -> None:
        """Keep only these events of a job in memory; all of its events were committed before."""
        tracked = self.tracked[job_id]
        tracked.job.events, tracked.committed = events, len(events)

    def __contains__(self, job_id: object) -> bool:
        return job_id in self.tracked

    def forget(self, job_id: str) -> None:
        """Stop tracking a job; what was not committed of it is lost."""
        self.tracked.pop(job_id, None)


class JobUnitOfWork(ABC):
    """Stores what happens to a job between ``with`` and ``commit()`` as a whole, or not at all.

    Of several jobs each is stored by itself, one after the other.
    """

    def __init__(self) -> None:
        self.jobs = Jobs(self)
        self.entered = False
        self.listeners: list[Listener] = []
        """Called one after the other, for each event that this unit of work commits, once.

        An error of one of them is logged, and changes nothing for the job or the others. A listener
        that loads or stores jobs needs a unit of work of its own.
        """

    def __enter__(self: UnitOfWorkT) -> UnitOfWorkT:
        self.entered = True
        return self

    def __exit__(self, *_: object) -> None:
        self.rollback()
        self.entered = False

    def commit(self) -> None:
        """Make every change durable; raise Conflict where somebody else changed a job meanwhile."""
        if not self.entered:
            raise EnsoError("commit() outside of a `with` block: nothing is tracked there")
        for tracked in self.jobs.tracked.values():
            events = tracked.job.events[tracked.committed :]
            if events or tracked.touched:
                tracked.version = self.save(tracked.job, events, tracked.version)
                tracked.committed, tracked.touched = len(tracked.job.events), False
                if events:
                    self._tell(tracked.job, events)

    def _tell(self, job: Job, events: list[Event]) -> None:
        for listener in self.listeners:
            try:
                listener(job, events)
            except Exception:  # what is committed has happened, told or not
                import logging  # noqa: PLC0415  # slow to import, and seldom needed

                log = logging.getLogger(__name__)
                log.exception("job %s: the listener %r raised an error", job.id, listener)

    def rollback(self) -> None:
        """Forget what was not committed; effects of scripts that ran meanwhile stay."""
        self.jobs.tracked.clear()

    @abstractmethod
    def load(self, job_id: str) -> tuple[Job, int | str]:
        """Return the job as it was committed, and its version; raise JobNotFound."""

    @abstractmethod
    def job_ids(self) -> list[str]:
        """Return the ids of all jobs."""

    @abstractmethod
    def save(self, job: Job, events: list[Event], version: int | str | None) -> int | str:
        """Store what is new in `job` and return the new version.

        `version` is the one that was loaded, None for a new job. Raises Conflict where the stored
        one is another.
        """


@dataclass
class InMemoryRepository:
    """The jobs of one process, shared by its units of work."""

    jobs: dict[str, Job] = field(default_factory=dict[str, Job])
    lock: Lock = field(default_factory=Lock)


class InMemoryJobUnitOfWork(JobUnitOfWork):
    """Jobs in this process's memory. Share a `repository` to have two units of work on it."""

    def __init__(self, repository: InMemoryRepository | None = None) -> None:
        super().__init__()
        self.repository = repository or InMemoryRepository()

    def load(self, job_id: str) -> tuple[Job, int]:
        """Return a copy, so that only a commit changes what others see."""
        with self.repository.lock:
            job = self.repository.jobs.get(job_id)
            if job is None:
                raise JobNotFound(f"there is no job {job_id!r}")
            return job.copy(), len(job.events)

    def job_ids(self) -> list[str]:
        """Return the ids in the order in which the jobs were added."""
        return list(self.repository.jobs)

    def save(self, job: Job, events: list[Event], version: int | str | None) -> int:
        """Apply the new events to the stored job; its number of events is its version."""
        with self.repository.lock:
            stored = self.repository.jobs.get(job.id)
            if (len(stored.events) if stored else None) != version:
                raise Conflict(f"job {job.id} was changed by somebody else meanwhile")
            if stored is None:
                self.repository.jobs[job.id] = job.copy()
            else:
                stored.redefine(job)  # a resume may have changed it
                for event in events:
                    stored.apply(event)
                stored.progress = job.progress
            return len(job.events)
