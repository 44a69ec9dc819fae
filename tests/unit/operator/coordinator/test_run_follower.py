"""Whoever follows a run lets go of it in their own time, not in the garbage collector's."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator

import pytest

from enso_operator.coordinator import run_follower
from enso_operator.coordinator.inbox import Message
from enso_operator.coordinator.run_follower import RunFollower
from job_execution_framework.domain.events import SessionOpened
from job_execution_framework.service_layer.observations import Observations
from tests.support.eventually import until_async
from tests.support.simulated_backend import SimulatedSessions

pytestmark = pytest.mark.anyio


class Endless(SimulatedSessions):
    """Sessions that are followed until whoever follows them closes that."""

    def __init__(self) -> None:
        super().__init__()
        self.is_closed = False

    async def release(self, run: str, uid: str) -> None:
        del run, uid

    async def follow(self, run: str, uid: str, after: int = 0) -> AsyncGenerator[Observations]:
        del uid, after
        try:
            while True:
                yield Observations(run=run)
        finally:
            self.is_closed = True


async def test_a_run_that_is_followed_no_more_is_closed_while_there_is_no_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run_follower, "MOST_HELD", 0)
    abandoned = list[AsyncGenerator[object]]()
    sys.set_asyncgen_hooks(finalizer=abandoned.append)
    sessions, inbox = Endless(), asyncio.Queue[Message]()
    follower = RunFollower("job", sessions, inbox)
    run = SessionOpened(at=0, session="main", run="main-1", uid="1", scripts=("one",))
    await follower.start(run, 0)
    await inbox.get()
    follower.stop()

    async def is_closed() -> bool:
        return sessions.is_closed

    await until_async(is_closed)
    assert abandoned == []
