"""Which EnsoJobs may start now: so many at once, while the others wait for their turn.

A job starts from its first look until its first commit is acted on: its session was released, or
it waits for something else. Of thousands that are created at once, each would otherwise wait behind
the calls of all others between any two calls of its own, while the operator held all of them in
memory and their Pods waited, gated, for a commit. Most that wait here are references.

Next is a job of the namespace of which the fewest start: in it one whose session runs, else the
oldest.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from heapq import heappop, heappush

from enso_operator.kube.ensojob import EnsoJobObject, Reference

MOST_AT_ONCE, MOST_OF_A_NAMESPACE = 64, 48
"""Jobs that start at the same time: twice as many as calls are made at once (`blocking.py`)."""
LONGEST_SECONDS = 60.0
"""A job that takes longer to start goes on, and others start beside it."""
MOST_KEPT, LARGEST_KEPT_BYTES = 1000, 16 * 1024
"""Jobs that wait with their object, and its JSON; others are read when their turn comes."""
Waiting = EnsoJobObject | Reference
Place = tuple[bool, float, str]
"""In a namespace: whether no session of the job runs, when it was created, and its uid."""


class StartQueue:
    """The jobs of all namespaces that start, or wait for that."""

    def __init__(
        self, start: Callable[[EnsoJobObject], None], read: Callable[[Reference], None]
    ) -> None:
        """Take whom to tell that the turn of a job has come; `read` gets one that was not kept."""
        self._start, self._read = start, read
        self._starting: dict[str, tuple[str, asyncio.TimerHandle]] = {}
        """By uid, the namespace of a job that starts, and what ends its turn at the latest."""
        self._counts = Counter[str]()
        """How many jobs of each namespace start."""
        self._waiting: dict[str, Waiting] = {}
        """By uid, the newest known version of each job that waits."""
        self._kept = 0
        """How many of them are whole objects."""
        self._lines: dict[str, list[Place]] = {}
        """By namespace, a heap of those that wait, and of some that have left."""

    def __len__(self) -> int:
        """Return how many jobs wait."""
        return len(self._waiting)

    def may_start(self, ensojob: EnsoJobObject) -> bool:
        """Whether the job may start now; if not, its turn will come."""
        uid, namespace = ensojob.uid, ensojob.namespace
        if uid in self._starting:
            return True
        if self._forget(uid) is None:
            if namespace not in self._lines and self._has_room(namespace):
                self._take_turn(ensojob)
                return True
            place = not ensojob.committed_uid, ensojob.created_at, uid
            heappush(self._lines.setdefault(namespace, []), place)
        is_kept = self._kept < MOST_KEPT and _size_of(ensojob) <= LARGEST_KEPT_BYTES
        self._waiting[uid] = ensojob if is_kept else ensojob.reference
        self._kept += is_kept
        self._give_turns()
        return False

    def leave(self, uid: str) -> None:
        """Take out a job that has started, or needs no work any more. This may be repeated."""
        self._forget(uid)
        if turn := self._starting.pop(uid, None):
            namespace, timer = turn
            timer.cancel()
            self._counts[namespace] -= 1
            self._give_turns()

    def stop(self) -> None:
        """Start nothing any more."""
        self._waiting.clear()
        self._lines.clear()
        for uid in list(self._starting):
            self.leave(uid)

    def _has_room(self, namespace: str) -> bool:
        is_one_more = self._counts[namespace] < MOST_OF_A_NAMESPACE
        return is_one_more and len(self._starting) < MOST_AT_ONCE

    def _forget(self, uid: str) -> Waiting | None:
        """Return what is known of a job that waits, which it does no longer."""
        job = self._waiting.pop(uid, None)
        self._kept -= isinstance(job, EnsoJobObject)
        return job

    def _take_turn(self, job: Waiting) -> None:
        loop = asyncio.get_running_loop()
        timer = loop.call_later(LONGEST_SECONDS, self.leave, job.uid)
        self._starting[job.uid] = job.namespace, timer
        self._counts[job.namespace] += 1

    def _give_turns(self) -> None:
        loop = asyncio.get_running_loop()
        while job := self._next():
            self._take_turn(job)
            if isinstance(job, EnsoJobObject):
                loop.call_soon(self._start, job)
            else:
                loop.call_soon(self._read, job)

    def _next(self) -> Waiting | None:
        """Return the job whose turn it is, which waits no longer; None while none may start."""
        while self._lines:
            namespace = min(self._lines, key=self._counts.__getitem__)
            if not self._has_room(namespace):
                return None
            line = self._lines.pop(namespace)
            job = self._forget(heappop(line)[-1])
            if line:
                self._lines[namespace] = line  # now the last one of those with as many
            if job:
                return job
        return None


def _size_of(ensojob: EnsoJobObject) -> int:
    return len(json.dumps(ensojob.document))
