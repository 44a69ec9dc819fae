"""Alarms for EnsoJobs for which nothing is to be done before some time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from enso_operator.kube.ensojob import Reference


@dataclass
class Alarms:
    """One at most for each object. What is held of an object is a reference."""

    ring: Callable[[Reference], None]
    _timers: dict[str, asyncio.TimerHandle] = field(
        default_factory=dict[str, asyncio.TimerHandle], init=False
    )

    def set(self, reference: Reference, seconds: float) -> None:
        """Ring for the object after so many seconds, and not when it was to ring before."""
        self.stop(reference.uid)
        self._timers[reference.uid] = asyncio.get_running_loop().call_later(
            max(0.0, seconds), self._ring, reference
        )

    def stop(self, uid: str) -> None:
        """Do not ring for this object."""
        if timer := self._timers.pop(uid, None):
            timer.cancel()

    def stop_all(self) -> None:
        """Do not ring any more."""
        for uid in list(self._timers):
            self.stop(uid)

    def __len__(self) -> int:
        return len(self._timers)

    def _ring(self, reference: Reference) -> None:
        del self._timers[reference.uid]
        self.ring(reference)
