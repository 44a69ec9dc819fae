"""How long a `PodFollower` waits for the rest of the log and status of a run that is over.

Times count from when the end was seen here, as a node's clock may differ.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

TIMES_READ, SPREAD_SECONDS = 3, 3.0
"""How often, and over how many seconds, a log is read again for missing records."""
SUMMED_UP_SECONDS, UNKNOWN_SECONDS = 30.0, 300.0
"""How long a log may be unavailable: where the session's summary has all outcomes, and where only
the log has them."""
STATUS_SECONDS = 30.0
"""How long a kubelet may take to say in the Pod's status why it ended the Pod."""


@dataclass
class EndTimeouts:
    """The waits since the run was seen to be over."""

    over_at: float = field(default=math.inf, init=False)
    _times_read: int = field(default=0, init=False)

    def run_is_over(self, now: float) -> None:
        """Start the timeouts: the run is over."""
        self.over_at = min(self.over_at, now)

    def log_was_read(self) -> None:
        """Count one more complete read of the log."""
        self._times_read += 1

    def log_may_have_more(self, now: float, *, gone: bool, summed_up: bool) -> bool:
        """Whether the log may still have missing records; it is gone with a Pod that is `gone`."""
        if now >= self.over_at + (SUMMED_UP_SECONDS if summed_up else UNKNOWN_SECONDS):
            return False
        if gone:
            return not self._times_read
        return self._times_read < TIMES_READ or now < self.over_at + SPREAD_SECONDS

    def status_may_say_more(self, now: float) -> bool:
        """Whether the Pod's status may still say more of why it ended."""
        return now < self.over_at + STATUS_SECONDS

    def due(self) -> list[float]:
        """Return when one of these times is over."""
        every = (SPREAD_SECONDS, STATUS_SECONDS, SUMMED_UP_SECONDS, UNKNOWN_SECONDS)
        return [self.over_at + seconds for seconds in every if self.over_at < math.inf]
