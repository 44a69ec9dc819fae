"""Threads for calls that block, given out one call at a time, in turn: see `fair_turns`."""

from __future__ import annotations

from collections.abc import Callable
from queue import SimpleQueue
from threading import Lock, Thread

from enso_operator.fair_turns import FairTurns

Call = Callable[[], object]
"""It raises nothing; whoever gives it to the pool sees to that, and learns of its end from it."""


class FairPool:
    """So many threads at most.

    This is no `ThreadPoolExecutor`: a thread that has made a call takes the next one by itself, so
    that nobody has to be woken, and there is no future that an event loop would have to watch.
    """

    def __init__(self, most: int, most_of_a_job: int) -> None:
        self._turns = FairTurns[Call](most, most_of_a_job)
        self._lock = Lock()
        self._threads: list[Thread] = []
        self._idle = 0
        self._handed_on = SimpleQueue[tuple[str, Call] | None]()
        """Calls for threads that are idle, of whom each takes one; with None it ends."""

    def submit(self, job: str, call: Call) -> None:
        """Have the call made in a thread when it is the job's turn."""
        with self._lock:
            if self._turns.ask(job, call):
                self._begin(job, call)

    def withdraw(self, job: str, call: Call) -> bool:
        """Return whether the call had not begun; then it will not be made."""
        with self._lock:
            return self._turns.withdraw(job, call)

    def close(self) -> None:
        """Return when the calls that have begun are made; no other ones are."""
        with self._lock:
            self._turns.close()
        for _ in self._threads:
            self._handed_on.put(None)
        for thread in self._threads:
            thread.join()

    def _begin(self, job: str, call: Call) -> None:
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
                with self._lock:
                    begun = self._turns.pass_on(job)
                    self._idle += begun is None
