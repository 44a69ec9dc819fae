"""How the operator works where it has much to do: much at once, and not each thing as it comes.

Answers and events come one by one, some hundred of them for each second. Whoever is woken for each
finds the processor's caches full of what the other processes of the machine needed meanwhile: then
the same code takes several times as long.
"""

from __future__ import annotations

import asyncio
import os
import selectors
import time
from collections.abc import Callable
from contextlib import suppress

PAUSE_SECONDS = 0.1
"""From one look at what has come to the next, where the process uses a whole processor; half of it
where it uses half of one."""
MUCH = 0.25
"""There is no pause where it uses less: one job alone is not held up."""
LOOK_SECONDS = 1.0
"""For so long it is observed what it uses."""


def schedule_as_batch() -> None:
    """Have this thread, and those that it starts, interrupt no other process as they wake up.

    See SCHED_BATCH in sched(7). They wait until the processor is free, or it is their turn.
    """
    if hasattr(os, "sched_setscheduler"):  # Linux has it
        with suppress(OSError):  # a seccomp profile may forbid it
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def batching_loop() -> asyncio.AbstractEventLoop:
    """Return a new event loop, which looks less often at what comes where there is much to do."""
    return asyncio.SelectorEventLoop(BatchingSelector())


class BatchingSelector(selectors.DefaultSelector):
    """Waits for more, once something has come, where the process has much to do."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        cpu_clock: Callable[[], float] = time.process_time,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        super().__init__()
        self._clock, self._cpu_clock, self._sleep = clock, cpu_clock, sleep
        self._pause = 0.0
        self._looked, self._used = clock(), cpu_clock()
        """When it was last asked how much there is to do; the process' CPU until then."""
        self._last = self._looked
        """When something was last returned."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what has come, as any selector does, but a moment later where there is much."""
        ready = super().select(timeout)
        if timeout is not None and timeout <= 0:  # the loop has something else to do
            return ready
        now = self._clock()
        self._look(now)
        left = self._last + self._pause - now
        if left > 0:
            self._sleep(left)
            ready = super().select(0)
            now = self._clock()
        self._last = now
        return ready

    def _look(self, now: float) -> None:
        passed = now - self._looked
        if passed >= LOOK_SECONDS:
            used = self._cpu_clock()
            share = min(1.0, (used - self._used) / passed)
            self._pause = PAUSE_SECONDS * share if share >= MUCH else 0.0
            self._looked, self._used = now, used
