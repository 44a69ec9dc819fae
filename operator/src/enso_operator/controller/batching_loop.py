"""How the operator works where it has much to do: much at once, and not each thing as it comes.

Answers and events come one by one, some hundred of them each second. An operator that is woken for
each does a little of everything, and finds little of what it needs in the processor's caches: the
same code then takes several times as long as where it is called again and again.
"""

from __future__ import annotations

import asyncio
import os
import selectors
import time
from collections.abc import Callable
from contextlib import suppress

PAUSE_SECONDS = 0.03
"""How long after one look at what has come the next one is, where there is much to do."""
MUCH = 0.25
"""There is, where all threads of the process together use so much of one processor."""
MEASURE_SECONDS = 1.0
"""What they use is measured so often."""


def schedule_as_batch() -> None:
    """Have this thread, and those that it starts, interrupt no other process as they wake up.

    See SCHED_BATCH in sched(7). They wait until the processor is free, or it is their turn.
    A policy that somebody chose for this process stays.
    """
    if hasattr(os, "SCHED_BATCH"):  # Linux has it
        with suppress(OSError):  # a seccomp profile may forbid it, and musl has none
            if os.sched_getscheduler(0) == os.SCHED_OTHER:
                os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def batching_loop() -> asyncio.AbstractEventLoop:
    """Return a new event loop, which looks less often at what has come where there is much to do.

    Timers and signals wait as long: at most PAUSE_SECONDS.
    """
    return asyncio.SelectorEventLoop(BatchingSelector())


class BatchingSelector(selectors.DefaultSelector):
    """Waits for more to come where the process, not only this thread, has much to do."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        cpu_clock: Callable[[], float] = time.process_time,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        super().__init__()
        self._clock, self._cpu_clock, self._sleep = clock, cpu_clock, sleep
        self._has_much_to_do = False
        self._measured, self._used = clock(), cpu_clock()
        """When it was last measured what the process uses; its CPU until then."""
        self._last = self._measured
        """When something was last returned."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what has come, as any selector does, but a moment later where there is much."""
        ready = super().select(timeout)
        if timeout is not None and timeout <= 0:  # the loop has something else to do
            return ready
        now = self._clock()
        self._measure(now)
        left = self._last + PAUSE_SECONDS - now
        if self._has_much_to_do and left > 0:
            self._sleep(left)
            ready = super().select(0)
            now = self._clock()
        self._last = now
        return ready

    def _measure(self, now: float) -> None:
        passed = now - self._measured
        if passed >= MEASURE_SECONDS:
            used = self._cpu_clock()
            self._has_much_to_do = used - self._used >= MUCH * passed
            self._measured, self._used = now, used
