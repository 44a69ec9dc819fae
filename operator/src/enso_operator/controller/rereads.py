"""Reads EnsoJobs again of which a watch has only told that something happened to them.

A watch of some jobs says `DELETED` of one that was deleted, and of one that it shows no more as it
has ended; a watch of metadata does not say what was changed. The reconciler asks for them here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from enso_operator.api.document import Document
from enso_operator.blocking import patiently
from enso_operator.kube.client import NoSuchObject, Refused
from enso_operator.kube.ensojob import Reference
from enso_operator.kube.objects import Objects

SETTLES_SECONDS = 0.5
"""Until a job is read: most of what the watches show are the operator's own writes, whose answers
it has by then."""
MOST_AT_ONCE = 8
"""Jobs that are read at the same time."""
_log = logging.getLogger(__name__)


@dataclass
class Rereads:
    """Reads each job once, however often it is asked for meanwhile."""

    objects: Callable[[str], Objects]
    """The EnsoJobs of a namespace."""
    do: Callable[[Coroutine[Any, Any, None]], None]
    """Starts a coroutine as a task."""
    is_news: Callable[[Reference], bool]
    """Whether the reconciler knows no version of the job that is as new as this one."""
    found: Callable[[Document], None]
    """Takes what was read."""
    gone: Callable[[Reference], None]
    """Takes jobs that exist no more."""
    _due: dict[str, Reference] = field(default_factory=dict[str, Reference], init=False)
    _is_settling: bool = field(default=False, init=False)
    _turns: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(MOST_AT_ONCE), init=False
    )

    def look_now(self, job: Reference) -> None:
        """Read the job, unless this version of it is known."""
        self.do(self._read(job))

    def look(self, job: Reference) -> None:
        """Read the job in a moment, unless this version of it is known by then."""
        before = self._due.get(job.uid)
        if not before or int(before.version) < int(job.version):
            self._due[job.uid] = job
        if not self._is_settling:
            self._is_settling = True
            self.do(self._read_all())

    async def _read_all(self) -> None:
        await asyncio.sleep(SETTLES_SECONDS)
        due, self._due, self._is_settling = self._due, {}, False
        for job in filter(self.is_news, due.values()):
            self.do(self._read(job))

    async def _read(self, job: Reference) -> None:
        async with self._turns:
            if not self.is_news(job):
                return
            try:
                document = await patiently(self.objects(job.namespace).get, job.name)
            except NoSuchObject:
                self.gone(job)
                return
            except Refused as error:
                _log.warning("%s/%s cannot be read: %s", job.namespace, job.name, error)
                return
        if document["metadata"]["uid"] == job.uid:
            self.found(document)
        else:
            self.gone(job)
