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
    """The clock of this machine."""

    def now(self) -> float:
        """Return the seconds since the epoch."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""
        time.sleep(seconds)
