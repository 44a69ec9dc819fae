"""Deletes EnsoJobs that have ended when their time to live is over, for the reconciler."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from enso_operator.blocking import pause_of
from enso_operator.controller.alarms import Alarms
from enso_operator.kube.client import NoSuchObject, Refused
from enso_operator.kube.ensojob import EnsoJobObject, Reference
from enso_operator.kube.objects import Objects
from enso_operator.on_loop import on_loop
from job_execution_framework.domain.errors import Conflict, Unavailable
from job_execution_framework.service_layer.clock import Clock

MOST_AT_ONCE = 4
"""Concurrent deletions: after an outage of the operator thousands may be due."""
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 5.0, 600.0
"""Bounds of the pause before a failed deletion is tried again."""
_log = logging.getLogger(__name__)


@dataclass
class TimeToLive:
    """Sets a timer for each finished job, and deletes the job when the timer is over."""

    objects: Callable[[str], Objects]
    """The EnsoJobs of a namespace."""
    clock: Clock
    do: Callable[[Coroutine[Any, Any, None]], None]
    """Starts a coroutine as a task."""
    _due: Alarms = field(init=False)
    _tries: dict[str, int] = field(default_factory=dict[str, int], init=False)
    """By uid, jobs that are being deleted, with the number of failed tries."""
    _turns: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(MOST_AT_ONCE), init=False
    )

    def __post_init__(self) -> None:
        self._due = Alarms(self._ring)

    def look_at(self, ensojob: EnsoJobObject) -> None:
        """Set the timer of a job that has ended and has a time to live."""
        self.forget(ensojob.uid)
        if (expires_at := ensojob.expires_at) is not None:
            self._due.set(ensojob.reference, expires_at - self.clock.now())

    def forget(self, uid: str) -> None:
        """Cancel the deletion: the job is deleted already, or runs again."""
        self._due.stop(uid)
        self._tries.pop(uid, None)

    def stop(self) -> None:
        """Cancel all deletions."""
        self._due.stop_all()

    def _ring(self, job: Reference) -> None:
        self._tries.setdefault(job.uid, 0)
        self.do(self._delete(job))

    async def _delete(self, job: Reference) -> None:
        """Delete the job, unless it was changed since: then its new time to live counts."""
        name = f"{job.namespace}/{job.name}"
        try:
            async with self._turns:
                delete = self.objects(job.namespace).delete
                await on_loop(delete, job.name, job.uid, job.version)
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
