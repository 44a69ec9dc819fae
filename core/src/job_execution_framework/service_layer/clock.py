"""The port to the time of day. The domain has no clock of its own."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """What time it is, in seconds since the epoch, and how to let some pass."""

    def now(self) -> float:
        """Return the seconds since the epoch."""
        ...

    def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""
        ...


class SystemClock:
    """What time it was on this machine when it was made, and what has passed since.

    Somebody who sets the machine's clock changes no duration: patience, deadlines and pauses are
    differences of what `now` returns.
    """

    def __init__(self) -> None:
        self._start = time.time() - _passed()

    def now(self) -> float:
        """Return the seconds since the epoch; they never go back."""
        return self._start + _passed()

    def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""
        time.sleep(seconds)


def _passed() -> float:
    """Return the seconds since some moment, with those that the machine slept where it counts them.

    A laptop that is opened in the morning must not go on with the evening's time.
    """
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()
