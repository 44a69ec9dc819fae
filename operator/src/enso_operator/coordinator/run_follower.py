"""Starts a job's session run and follows it; its observations go to the actor's inbox."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing

from enso_operator.coordinator.inbox import Broken, Message, SessionSaid
from enso_operator.coordinator.sessions import Sessions
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.errors import Conflict
from job_execution_framework.domain.events import SessionOpened
from job_execution_framework.service_layer.observations import Ended, Observations

MOST_HELD = 500
"""Records that may wait to be folded, or committed; until then no more are read (back pressure)."""
_log = logging.getLogger(__name__)


class RunFollower:
    """Follows one run at a time, and not faster than the actor can fold and commit."""

    def __init__(self, job_id: str, sessions: Sessions, inbox: asyncio.Queue[Message]) -> None:
        self._job_id, self._sessions, self._inbox = job_id, sessions, inbox
        self.run = ""
        """Name of the run that is followed, or that was lost before it could be."""
        self.has_heard = False
        """Whether anything is known of that run."""
        self._unfolded = 0
        """How many records were received since the actor last folded."""
        self._room = asyncio.Event()
        """Set while more records may be read."""
        self._task: asyncio.Task[None] | None = None

    async def start(self, run: SessionOpened, after: int) -> None:
        """Let this run start, and follow it instead of an earlier one, from record `after` on."""
        lost = await self._release(run)
        self.stop()
        self.run, self.has_heard = run.run, lost is not None
        if lost:
            self._inbox.put_nowait(SessionSaid(Observations(run=run.run, ended=lost)))
        else:
            self._task = asyncio.create_task(self._follow(run, after))

    async def _release(self, run: SessionOpened) -> Ended | None:
        """Let the run start; return an end where it cannot be started."""
        try:
            await self._sessions.release(run.run, run.uid)
        except FileNotFoundError as error:
            _log.warning("%s: nothing is left of session %s: %s", self._job_id, run.run, error)
            cause = Cause(Reason.SESSION_LOST, "its folder is gone, and what it wrote with it")
            return Ended(log_is_complete=False, cause=cause)
        except (Conflict, OSError) as error:
            cause = Cause(Reason.SESSION_LOST, f"it could not be started: {error}")
            return Ended(log_is_complete=True, cause=cause)
        return None

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
            async with aclosing(self._sessions.follow(run.run, run.uid, after)) as following:
                async for observations in following:
                    self.has_heard = True
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
