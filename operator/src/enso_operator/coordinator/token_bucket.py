"""A token bucket: a rate limit with a burst.

It limits the publisher of Events, and the readers and writers of sessions' records.
"""

from __future__ import annotations


class TokenBucket:
    """Allows a burst of `at_once`, then `a_second`. It may be overdrawn: the next caller waits."""

    def __init__(self, at_once: float, a_second: float, now: float) -> None:
        self._at_once, self._a_second = at_once, a_second
        self._left, self._as_of = at_once, now

    def left(self, now: float) -> float:
        """Return the tokens that are left; negative after an overdraft."""
        passed, self._as_of = max(0.0, now - self._as_of), now
        self._left = min(self._at_once, self._left + passed * self._a_second)
        return self._left

    def spend(self, amount: float) -> None:
        """Take tokens; more than are left make an overdraft."""
        self._left -= amount

    def wait(self, now: float) -> float:
        """Return the seconds until the bucket has tokens again."""
        return max(0.0, -self.left(now)) / self._a_second
