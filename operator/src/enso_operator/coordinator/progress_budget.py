"""The budget of writes that bring nothing but progress, for all jobs of a process together.

Progress is for people who look on. However many jobs tell it, and however often, what it costs the
API server is bounded. Each job asks for a turn (`job_progress.py`); the one that has waited longest
gets the next. Other writes need no turn, and wait for none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

WRITES_A_SECOND = 20
"""How many writes all jobs together may make of progress alone."""


class ProgressBudget:
    """Gives turns, one by one."""

    def __init__(self) -> None:
        self._waiting: dict[str, Callable[[], None]] = {}
        """By job what to call with its turn, in the order in which they asked."""
        self._next_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def ask(self, job: str, grant: Callable[[], None]) -> None:
        """Call `grant` when the job has its turn. A job that waits already keeps its place."""
        self._waiting.setdefault(job, grant)
        self._set_timer()

    def withdraw(self, job: str) -> None:
        """Take the job out of the line: it needs no turn any more."""
        self._waiting.pop(job, None)

    def _set_timer(self) -> None:
        if self._waiting and self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(max(loop.time(), self._next_at), self._give_turn)

    def _give_turn(self) -> None:
        self._timer = None
        if self._waiting:
            grant = self._waiting.pop(next(iter(self._waiting)))
            self._next_at = asyncio.get_running_loop().time() + 1 / WRITES_A_SECOND
            grant()
            self._set_timer()
