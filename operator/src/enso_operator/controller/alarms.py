"""Timers of EnsoJobs that need no work before a known time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from enso_operator.kube.ensojob import Reference


@dataclass
class Alarms:
    """At most one timer for each object; only a reference to the object is held."""

    ring: Callable[[Reference], None]
    _timers: dict[str, asyncio.TimerHandle] = field(
        default_factory=dict[str, asyncio.TimerHandle], init=False
    )

    def set(self, reference: Reference, seconds: float) -> None:
        """Ring for the object after so many seconds; this replaces its earlier alarm."""
        self.stop(reference.uid)
        self._timers[reference.uid] = asyncio.get_running_loop().call_later(
            max(0.0, seconds), self._ring, reference
        )

    def stop(self, uid: str) -> None:
        """Cancel the object's alarm."""
        if timer := self._timers.pop(uid, None):
            timer.cancel()

    def stop_all(self) -> None:
        """Cancel all alarms."""
        for uid in list(self._timers):
            self.stop(uid)

    def __len__(self) -> int:
        return len(self._timers)

    def _ring(self, reference: Reference) -> None:
        del self._timers[reference.uid]
        self.ring(reference)
