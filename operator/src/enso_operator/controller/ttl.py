"""Deletes EnsoJobs that have ended when their time to live is over, for the reconciler."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from enso_operator.blocking import in_thread, pause_of
from enso_operator.controller.alarms import Alarms
from enso_operator.kube.client import NoSuchObject, Refused
from enso_operator.kube.ensojob import EnsoJobObject, Reference
from enso_operator.kube.objects import Objects
from job_execution_framework.domain.errors import Conflict, Unavailable
from job_execution_framework.service_layer.clock import Clock

MOST_AT_ONCE = 4
"""So many are deleted at once: after a long time away it may be thousands."""
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 5.0, 600.0
"""Before a deletion that did not work is tried again: the first time, and after many."""
_log = logging.getLogger(__name__)


@dataclass
class TimeToLive:
    """Knows when which of them is due, and nothing else of them."""

    objects: Callable[[str], Objects]
    """The EnsoJobs of a namespace."""
    clock: Clock
    do: Callable[[Coroutine[Any, Any, None]], None]
    """Runs what takes a while."""
    _due: Alarms = field(init=False)
    _tries: dict[str, int] = field(default_factory=dict[str, int], init=False)
    """Those that are being deleted, and how often that was tried in vain."""
    _turns: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(MOST_AT_ONCE), init=False
    )

    def __post_init__(self) -> None:
        self._due = Alarms(self._ring)

    def look_at(self, ensojob: EnsoJobObject) -> None:
        """Have it deleted in time, if it has ended and is not to stay for ever."""
        self.forget(ensojob.uid)
        if (expires_at := ensojob.expires_at) is not None:
            self._due.set(ensojob.reference, expires_at - self.clock.now())

    def forget(self, uid: str) -> None:
        """Let it stay: it is gone, or goes on."""
        self._due.stop(uid)
        self._tries.pop(uid, None)

    def stop(self) -> None:
        """Delete nothing any more."""
        self._due.stop_all()

    def _ring(self, job: Reference) -> None:
        self._tries.setdefault(job.uid, 0)
        self.do(self._delete(job))

    async def _delete(self, job: Reference) -> None:
        """Delete it, unless it was changed since: then its new time to live counts."""
        name = f"{job.namespace}/{job.name}"
        try:
            async with self._turns:
                delete = self.objects(job.namespace).delete
                await in_thread(delete, job.name, job.uid, job.version)
        except NoSuchObject:
            self._tries.pop(job.uid, None)
        except (Conflict, Refused, Unavailable) as error:
            tries = self._tries.get(job.uid)
            if tries is None:
                return  # what was shown of it meanwhile counts
            log = _log.debug if tries else _log.warning
            log("%s cannot be deleted, though its time to live is over: %s", name, error)
            self._tries[job.uid] = tries + 1
            self._due.set(job, pause_of(tries, SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS))
        else:
            self._tries.pop(job.uid, None)
            _log.info("%s was deleted: its time to live is over", name)
