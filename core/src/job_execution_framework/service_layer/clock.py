"""The port to the time of day, and its one implementation. The domain is given the time."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Says what time it is, in seconds since the epoch, and waits."""

    def now(self) -> float:
        """Return the seconds since the epoch."""
        ...

    def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""
        ...


class SystemClock:
    """This machine's time when the clock was made, and the seconds that have passed since.

    So durations stay right when somebody sets the machine's clock: timeouts, deadlines and pauses
    are differences of what `now` returns.
    """

    def __init__(self) -> None:
        self._start = time.time() - _seconds()

    def now(self) -> float:
        """Return the seconds since the epoch; they never go back."""
        return self._start + _seconds()

    def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""
        time.sleep(seconds)


def _seconds() -> float:
    """Return the seconds since some moment, if possible with those that the machine was asleep.

    A laptop that is opened in the morning must not go on with the evening's time.
    """
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()
