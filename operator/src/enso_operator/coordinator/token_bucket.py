"""A token bucket: so much may be used at once, and beyond that so much a second.

The publisher of Events and the readers and writers of sessions' records are limited by it.
"""

from __future__ import annotations


class TokenBucket:
    """It may be overdrawn: then the next one waits until it is filled up again."""

    def __init__(self, at_once: float, a_second: float, now: float) -> None:
        self._at_once, self._a_second = at_once, a_second
        self._left, self._as_of = at_once, now

    def left(self, now: float) -> float:
        """Return what may be spent now; it is negative where too much was."""
        passed, self._as_of = max(0.0, now - self._as_of), now
        self._left = min(self._at_once, self._left + passed * self._a_second)
        return self._left

    def spend(self, amount: float) -> None:
        """Take that away."""
        self._left -= amount

    def wait(self, now: float) -> float:
        """Return the seconds until something may be spent again."""
        return max(0.0, -self.left(now)) / self._a_second
