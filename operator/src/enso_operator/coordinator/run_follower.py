"""Follows the session run of a job for its actor, and puts what it says into the actor's inbox."""

from __future__ import annotations

import asyncio

from enso_operator.coordinator.inbox import Broken, Message, SessionSaid
from enso_operator.coordinator.sessions import Sessions
from job_execution_framework.domain.events import SessionOpened
from job_execution_framework.service_layer.observations import Ended, Observations

MOST_HELD = 500
"""Records that a turn is waited for, or a commit, before more are heard: however long it takes."""


class RunFollower:
    """Follows one run at a time, and not faster than the actor can fold and commit."""

    def __init__(self, sessions: Sessions, inbox: asyncio.Queue[Message]) -> None:
        self._sessions, self._inbox = sessions, inbox
        self.run = ""
        """The run that is followed, or was lost before that."""
        self._unfolded = 0
        """How many records were heard since the last turn."""
        self._room = asyncio.Event()
        """Set while more of them may be heard."""
        self._task: asyncio.Task[None] | None = None

    def begin(self, run: SessionOpened, after: int) -> None:
        """Follow this run, and no other any more."""
        self.stop()
        self.run = run.run
        self._task = asyncio.create_task(self._follow(run, after))

    def lost(self, run: SessionOpened, how: Ended) -> None:
        """Say of a run that could not begin how it ended."""
        self.stop()
        self.run = run.run
        self._inbox.put_nowait(SessionSaid(Observations(run=run.run, ended=how)))

    def stop(self) -> None:
        """Follow nothing any more."""
        if self._task:
            self._task.cancel()

    def was_folded(self, uncommitted: int) -> None:
        """Hear more, unless there is so much that is folded and not committed."""
        self._unfolded = 0
        if is_full(uncommitted):
            self._room.clear()
        else:
            self._room.set()

    def was_committed(self) -> None:
        """Hear more."""
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
    """Whether no more records are to be heard before some of these were folded, or committed."""
    return records >= MOST_HELD
