"""Follows a job's session run, and puts its observations into the actor's inbox."""

from __future__ import annotations

import asyncio

from enso_operator.coordinator.inbox import Broken, Message, SessionSaid
from enso_operator.coordinator.sessions import Sessions
from job_execution_framework.domain.events import SessionOpened
from job_execution_framework.service_layer.observations import Ended, Observations

MOST_HELD = 500
"""Records that may wait to be folded, or committed; until then no more are read (back pressure)."""


class RunFollower:
    """Follows one run at a time, and not faster than the actor can fold and commit."""

    def __init__(self, sessions: Sessions, inbox: asyncio.Queue[Message]) -> None:
        self._sessions, self._inbox = sessions, inbox
        self.run = ""
        """Name of the run that is followed, or that was lost before it could be."""
        self._unfolded = 0
        """How many records were received since the actor last folded."""
        self._room = asyncio.Event()
        """Set while more records may be read."""
        self._task: asyncio.Task[None] | None = None

    def begin(self, run: SessionOpened, after: int) -> None:
        """Follow this run instead of an earlier one."""
        self.stop()
        self.run = run.run
        self._task = asyncio.create_task(self._follow(run, after))

    def lost(self, run: SessionOpened, how: Ended) -> None:
        """Report the end of a run that could not be started."""
        self.stop()
        self.run = run.run
        self._inbox.put_nowait(SessionSaid(Observations(run=run.run, ended=how)))

    def stop(self) -> None:
        """Stop following."""
        if self._task:
            self._task.cancel()

    def was_folded(self, uncommitted: int) -> None:
        """Read more records, unless too many folded ones are `uncommitted`."""
        self._unfolded = 0
        if is_full(uncommitted):
            self._room.clear()
        else:
            self._room.set()

    def was_committed(self) -> None:
        """Read more records."""
        self._room.set()

    async def _follow(self, run: SessionOpened, after: int) -> None:
        try:
            async for observations in self._sessions.follow(run.run, run.uid, after):
                self._inbox.put_nowait(SessionSaid(observations))
                self._unfolded += len(observations.records)
                if is_full(self._unfolded):
                    self._room.clear()
                await self._room.wait()
        except Exception as error:  # noqa: BLE001  # the actor raises it: no task dies silently
            self._inbox.put_nowait(Broken(error))


def is_full(records: int) -> bool:
    """Whether so many records wait that no more are read."""
    return records >= MOST_HELD
