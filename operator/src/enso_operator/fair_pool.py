"""Threads for calls that block, given out one call at a time, in turn.

Whoever has the fewest calls under way has the next turn: no job holds up another one, however many
calls it makes and however long they take.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from queue import SimpleQueue
from threading import Lock, Thread

Call = Callable[[], object]
"""It raises nothing; whoever gives it to the pool sees to that, and learns of its end from it."""


class FairPool:
    """So many threads at most; a call costs the same however many jobs wait.

    This is no `ThreadPoolExecutor`: a thread that has made a call takes the next one by itself, so
    that nobody has to be woken, and there is no future that an event loop would have to watch.
    """

    def __init__(self, most: int, most_of_a_job: int) -> None:
        self._free, self._most_of_a_job = most, most_of_a_job
        self._lock = Lock()
        self._threads: list[Thread] = []
        self._idle = 0
        self._handed_on = SimpleQueue[tuple[str, Call] | None]()
        """Calls for threads that are idle, of whom each takes one; with None it ends."""
        self._under_way = dict[str, int]()
        self._waiting: dict[str, deque[Call]] = {}
        """The calls that each job waits for."""
        self._turns = defaultdict[int, dict[str, None]](dict)
        """The jobs that wait, by how many calls they have under way; who waits longest is first."""

    def submit(self, job: str, call: Call) -> None:
        """Have the call made in a thread when it is the job's turn."""
        with self._lock:
            if self._free and self._may_begin(job, self._under_way.get(job, 0)):
                self._begin(job, call)  # who else waits has as many under way as it may
            else:
                self._waiting.setdefault(job, deque()).append(call)
                self._turns[self._under_way.get(job, 0)].setdefault(job)

    def withdraw(self, job: str, call: Call) -> bool:
        """Return whether the call had not begun; then it will not be made."""
        with self._lock:
            calls = self._waiting.get(job, ())
            if call not in calls:
                return False
            self._drop(job, call)
            return True

    def close(self) -> None:
        """Return when the calls that have begun are made; no other ones are."""
        with self._lock:
            self._waiting.clear()
            self._turns.clear()
            self._free = 0
        for _ in self._threads:
            self._handed_on.put(None)
        for thread in self._threads:
            thread.join()

    def _may_begin(self, job: str, under_way: int) -> bool:
        """Return whether one more of its calls may; what is of no job may have all threads."""
        return under_way < self._most_of_a_job or not job

    def _begin(self, job: str, call: Call) -> None:
        self._free -= 1
        self._count(job, 1)
        self._handed_on.put((job, call))
        if self._idle:
            self._idle -= 1
            return
        # One that lives on when the process ends would keep it from ending: see `close`.
        thread = Thread(target=self._work, name=f"enso_{len(self._threads)}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        while (begun := self._handed_on.get()) is not None:
            while begun is not None:
                job, call = begun
                call()
                del call  # with all that it holds, also while this thread is idle
                begun = self._next_after(job)

    def _next_after(self, job: str) -> tuple[str, Call] | None:
        """Return the call whose turn it is, now that one of the job's has been made."""
        with self._lock:
            self._count(job, -1)
            following = self._next() if self._waiting else None
            if following is None:
                self._free += 1
                self._idle += 1
                return None
            call = self._waiting[following][0]
            self._drop(following, call)
            self._count(following, 1)
            return following, call

    def _next(self) -> str | None:
        """Return the job whose turn it is."""
        for count in sorted(self._turns):
            jobs = self._turns[count]
            job = next(iter(jobs), None) if count < self._most_of_a_job else ""
            if job in jobs:
                return job
        return None

    def _drop(self, job: str, call: Call) -> None:
        """Let the job not wait for this call any more."""
        calls = self._waiting[job]
        calls.remove(call)
        if not calls:
            del self._waiting[job]
            del self._turns[self._under_way.get(job, 0)][job]

    def _count(self, job: str, change: int) -> None:
        """Change how many calls the job has under way, and its turn with that."""
        before = self._under_way.get(job, 0)
        if job in self._waiting:
            del self._turns[before][job]
            self._turns[before + change][job] = None
        if before + change:
            self._under_way[job] = before + change
        else:
            del self._under_way[job]
