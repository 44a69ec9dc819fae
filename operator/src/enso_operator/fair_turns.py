"""Turns that are given out one at a time: no job holds up another one.

Whoever has the fewest turns has the next one, however many a job asks for and however long it
keeps them.
"""

from __future__ import annotations

from collections import defaultdict, deque
from typing import Generic, TypeVar

T = TypeVar("T")


class FairTurns(Generic[T]):
    """So many turns at most, and so many of one job; what is of no job may have all.

    `T` is what waits for a turn. Asking costs the same however many jobs wait.
    """

    def __init__(self, most: int, most_of_a_job: int) -> None:
        self._free, self._most_of_a_job = most, most_of_a_job
        self._taken = dict[str, int]()
        self._waiting: dict[str, deque[T]] = {}
        """What of each job waits."""
        self._order = defaultdict[int, dict[str, None]](dict)
        """The jobs that wait, by how many turns they have; who waits longest is first."""

    def ask(self, job: str, asker: T) -> bool:
        """Return whether the job has a turn now; else `asker` waits for one."""
        taken = self._taken.get(job, 0)
        if self._free and self._may_begin(job, taken):
            self._free -= 1  # who else waits has as many as it may
            self._count(job, 1)
            return True
        self._waiting.setdefault(job, deque()).append(asker)
        self._order[taken].setdefault(job)
        return False

    def withdraw(self, job: str, asker: T) -> bool:
        """Return whether it still waited for its turn; then it will get none."""
        if asker not in self._waiting.get(job, ()):
            return False
        self._drop(job, asker)
        return True

    def pass_on(self, job: str) -> tuple[str, T] | None:
        """Take a turn back from a job; return whose it is now, with what waited for it."""
        self._count(job, -1)
        following = self._next() if self._waiting else None
        if following is None:
            self._free += 1
            return None
        asker = self._waiting[following][0]
        self._drop(following, asker)
        self._count(following, 1)
        return following, asker

    def close(self) -> None:
        """Give no turn any more, and forget what waits."""
        self._waiting.clear()
        self._order.clear()
        self._free = 0

    def _may_begin(self, job: str, taken: int) -> bool:
        return taken < self._most_of_a_job or not job

    def _next(self) -> str | None:
        """Return the job whose turn it is."""
        for count in sorted(self._order):
            jobs = self._order[count]
            job = next(iter(jobs), None) if count < self._most_of_a_job else ""
            if job in jobs:
                return job
        return None

    def _drop(self, job: str, asker: T) -> None:
        """Let it not wait any more."""
        waiting = self._waiting[job]
        waiting.remove(asker)
        if not waiting:
            del self._waiting[job]
            del self._order[self._taken.get(job, 0)][job]

    def _count(self, job: str, change: int) -> None:
        """Change how many turns the job has, and its place with that."""
        before = self._taken.get(job, 0)
        if job in self._waiting:
            del self._order[before][job]
            self._order[before + change][job] = None
        if before + change:
            self._taken[job] = before + change
        else:
            del self._taken[job]
