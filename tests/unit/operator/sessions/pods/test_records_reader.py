"""A reader of records that is stopped reads nothing more, at whatever moment that is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import cast

import pytest

from enso_operator.sessions.pods.inbox import LogMessage
from enso_operator.sessions.pods.logs import PodLogs
from enso_operator.sessions.pods.records import Records
from enso_operator.sessions.pods.records_reader import RecordsReader

pytestmark = pytest.mark.anyio


class NoLogs:
    """Counts who asks for a log."""

    def __init__(self) -> None:
        self.asked = 0

    async def follow(self, *place: str) -> AsyncGenerator[list[bytes]]:
        del place
        self.asked += 1
        yield []


async def test_one_that_is_stopped_as_its_pod_begins_asks_for_no_log() -> None:
    logs, posted = NoLogs(), list[LogMessage]()
    reader = RecordsReader(
        cast("PodLogs", logs), "shows", "shot", posted.append, cast("Records", None)
    )
    reader.scheduled.set()
    reader.start()
    for _ in range(3):  # until it waits for the Pod to begin
        await asyncio.sleep(0)
    reader.begun.set()
    reader.stop()
    await asyncio.sleep(0.05)
    assert (logs.asked, posted) == (0, [])
