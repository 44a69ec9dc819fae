"""Periodically compares what the watch has shown with a list of all objects."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from enso_operator.blocking import in_thread
from enso_operator.controller import malloc
from enso_operator.kube.objects import Objects
from job_execution_framework.domain.errors import EnsoError
from job_execution_framework.service_layer.clock import Clock

UNTIL_READY_SECONDS = 0.5
"""Shortest interval of sweeps until the watch has shown all objects for the first time."""
_LOOK_SECONDS = 0.05
"""How often it is looked, without a request, whether the watch has shown what a sweep listed."""
_log = logging.getLogger(__name__)


class Watched(Protocol):
    """The objects of a kind, as the watch has shown them."""

    async def sweep(self) -> list[tuple[str, int]]:
        """List all objects; return uids and versions of those that the watch has not shown."""
        ...

    def is_missing(self, uid: str, version: int) -> bool:
        """Whether the watch has not shown this version of an object, nor a later one."""
        ...


@dataclass
class Resync:
    """Detects a watch that misses changes, and an API server that cannot be reached."""

    watched: Mapping[str, Watched]
    """By the names of their kinds."""
    clock: Clock
    every_seconds: float
    _trouble: str = field(default="objects cannot be listed: nothing was listed yet", init=False)
    _caught_up: bool = field(default=False, init=False)
    _unseen: dict[tuple[str, int], float] = field(
        default_factory=dict[tuple[str, int], float], init=False
    )
    """Versions of objects that the watch has not shown, and since when that is known."""

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            began = self.clock.now()
            await self._sweep()
            took = self.clock.now() - began  # of many objects it is work, beside that of the watch
            if not self._caught_up:
                await self._catch_up(max(UNTIL_READY_SECONDS, 2 * took))
            await in_thread(malloc.give_back)
            if self._caught_up:
                await asyncio.sleep(self.every_seconds)

    async def _catch_up(self, seconds: float) -> None:
        """Return when the watch has shown what was listed last, or after so long."""
        until = self.clock.now() + seconds  # what was deleted since then it will never show
        unseen = [*self._unseen]
        while (left := until - self.clock.now()) > 0:
            await asyncio.sleep(min(_LOOK_SECONDS, left))
            while unseen and not self._is_missing(*unseen[-1]):
                self._unseen.pop(unseen.pop(), None)
            if not self._trouble and not unseen:
                self._caught_up = True
                return

    def _forget_what_was_shown(self) -> None:
        """Keep what a list had and the watch has not shown yet: it may be a moment late."""
        self._unseen = {key: at for key, at in self._unseen.items() if self._is_missing(*key)}

    def _is_missing(self, uid: str, version: int) -> bool:
        return all(watched.is_missing(uid, version) for watched in self.watched.values())

    async def _sweep(self) -> None:
        now, unseen = self.clock.now(), list[tuple[str, int]]()
        for kind, watched in self.watched.items():
            try:
                unseen += await watched.sweep()
            except EnsoError as error:  # also where the CRDs were deleted
                self._trouble = f"{kind} cannot be listed: {error}"
                self._unseen = {}  # an API server that is away shows nothing to any watch
                _log.warning("%s", self._trouble)
                return
        self._trouble = ""
        self._unseen = {key: self._unseen.get(key, now) for key in unseen}
        self._caught_up = self._caught_up or not unseen

    def watch_age(self) -> float:
        """Return how long, in seconds, there has been something that the watch does not show."""
        self._forget_what_was_shown()
        return self.clock.now() - min(self._unseen.values(), default=self.clock.now())

    def is_blind(self) -> str | None:
        """Return why the watch is taken for dead, which a restart repairs; else None."""
        if not self._caught_up or (age := self.watch_age()) < self.every_seconds / 2:
            return None  # a watch may be a moment late
        return f"the watch has not shown for {age:.0f} s what was changed in the cluster"

    def is_away(self) -> str | None:
        """Return why the operator does not know all objects; else None."""
        if self._trouble:
            return self._trouble
        return None if self._caught_up else f"{' and '.join(self.watched)} are being listed"


async def versions_of(
    objects: Callable[[str], Objects], namespaces: Sequence[str]
) -> dict[str, int]:
    """List the objects of a kind in these namespaces, or in all; return their versions by uid."""
    listed = dict[str, int]()
    for namespace in namespaces or [""]:
        listed |= await in_thread(_versions, objects(namespace))
    return listed


def _versions(objects: Objects) -> dict[str, int]:
    found = objects.metadata()
    return {str(metadata["uid"]): int(metadata["resourceVersion"]) for metadata in found}
