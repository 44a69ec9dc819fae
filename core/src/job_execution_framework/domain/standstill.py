"""How long a job stood still: this time does not count for its deadline.

A job stands still while it is suspended or paused and no session of it is open, and after that
until its next session opens. `Job` keeps one `Standstill`; the status of an EnsoJob carries it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Standstill:
    """When a job stood still. Times are in seconds since the epoch."""

    since: float | None = None
    """Since when the job stands still; None while time counts."""
    seconds: float = 0
    """How long it stood still before that."""

    def begun(self, at: float) -> Standstill:
        """Return it for a job that stands still from `at` on, or since before."""
        return self if self.since is not None else replace(self, since=at)

    def ended(self, at: float) -> Standstill:
        """Return it for a job whose time counts from `at` on."""
        if self.since is None:
            return self
        return Standstill(seconds=self.seconds + max(0, at - self.since))
