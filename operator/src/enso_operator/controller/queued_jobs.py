"""Jobs that wait for their turn in a queue, and need no actor meanwhile.

An actor takes a hundred times as much memory as what is kept here. The next one gets it, whatever
it is started for, so that it goes on waiting where the last one did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from enso_operator.coordinator.obstacles import Obstacle
from job_execution_framework.domain.cause import Cause


@dataclass(frozen=True)
class QueuedJob:
    """What an actor leaves that rests while its job is queued."""

    obstacle: Obstacle
    """Why its session cannot be opened now, and its turn."""
    waits: Cause | None
    """What the job's status says of that."""
    since: float | None


@dataclass
class QueuedJobs:
    """Those of all EnsoJobs, by uid."""

    _jobs: dict[str, QueuedJob] = field(default_factory=dict[str, QueuedJob], init=False)

    def rest(self, uid: str, job: QueuedJob, its_turn: Callable[[], None]) -> None:
        """Keep it until its turn comes."""
        self._jobs[uid] = job
        job.obstacle.when_its_turn(its_turn)

    def __contains__(self, uid: str) -> bool:
        """Whether the job is kept here."""
        return uid in self._jobs

    def take(self, uid: str) -> QueuedJob | None:
        """Return what is kept of a job, for its next actor."""
        return self._jobs.pop(uid, None)

    def leave(self, uid: str) -> None:
        """Give up the turn of a job that needs nothing any more."""
        if job := self.take(uid):
            job.obstacle.leave_queue()

    def waits(self) -> Iterator[tuple[Cause, float]]:
        """Yield why each of them waits, and since when."""
        for job in self._jobs.values():
            if job.waits and job.since is not None:
                yield job.waits, job.since
