"""Progress in the status of an EnsoJob: when it is written, and that nothing of it is left."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from enso_operator.api.document import Document
from enso_operator.coordinator.job_progress import JOB_SECONDS
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.kube.status.write import status_of
from job_execution_framework.domain import events
from job_execution_framework.domain.progress import Progress
from job_execution_framework.service_layer.observations import Ended, Observations
from tests.support.in_memory_operator import Operator, operate
from tests.support.jobs import make
from tests.support.resources import of_scripts
from tests.support.simulated_backend import SimulatedBackend, SimulatedSessions

DO = of_scripts({})
STARTED, SUCCEEDED = (events.ScriptStarted, 1), (events.ScriptSucceeded, 2)


class Telling(SimulatedSessions):
    """Sessions that yield what a test puts into a queue."""

    def __init__(self, said: asyncio.Queue[Observations]) -> None:
        super().__init__()
        self._said = said

    async def follow(self, run: str, uid: str, after: int = 0) -> AsyncGenerator[Observations]:
        del run, uid, after
        while True:
            yield (observations := await self._said.get())
            if observations.ended:
                return


@dataclass
class TellingBackend(SimulatedBackend):
    said: asyncio.Queue[Observations] = field(default_factory=asyncio.Queue[Observations])

    def sessions(self, ensojob: EnsoJobObject) -> SimulatedSessions:
        super().sessions(ensojob)
        return Telling(self.said)


class Watched:
    """An operator with one job, whose session says what a test says, and its statuses."""

    def __init__(self, operator: Operator) -> None:
        assert isinstance(operator.backend, TellingBackend)
        self.operator, self._said = operator, operator.backend.said
        self.statuses: list[Document] = []
        show = operator.cluster.watch

        def seen(kind: str, document: Document) -> None:
            self.statuses.append(document.get("status") or {})
            show(kind, document)

        operator.cluster.watch = seen

    def tells(self, percent: float | None, message: str = "", number: int = 1) -> None:
        said = Progress("script-0", 1, percent, message, number)
        self._said.put_nowait(Observations(run="main-1", progress=said))

    def records(self, kind: type[events.ScriptEvent], seq: int) -> None:
        about = {"script": "script-0", "number": 1, "of": 1, "attempt": 1}
        record = make(kind, at=1000, origin="main-1", seq=seq, **about)
        self._said.put_nowait(Observations(run="main-1", records=(record,)))

    def ends(self) -> None:
        self._said.put_nowait(Observations(run="main-1", ended=Ended(log_is_complete=True)))

    @property
    def status(self) -> Document:
        found: Document = self.operator.jobs.get("shot").get("status") or {}
        return found

    @property
    def row(self) -> Document:
        rows: list[Document] = self.status.get("scripts") or [{}]
        return rows[0]

    async def runs(self) -> None:
        self.operator.create(DO)
        self.records(*STARTED)
        await self.operator.until(lambda: self.row.get("state") == "Running")

    async def shows(self, percent: float | None, message: str | None) -> None:
        await self.operator.until(
            lambda: (self.row.get("progress"), self.row.get("message")) == (percent, message)
        )


def watch(scenario: Callable[[Watched], Awaitable[None]]) -> None:
    async def act(operator: Operator) -> None:
        await scenario(Watched(operator))

    operate(act, Operator(backend=TellingBackend()))


def test_progress_is_in_the_row_and_in_the_column_while_the_script_runs() -> None:
    async def scenario(watched: Watched) -> None:
        await watched.runs()
        watched.tells(42.5, "meshing", 1)
        await watched.shows(42.5, "meshing")
        assert watched.status["progress"] == "42.5%"
        watched.tells(None, "only a text", 2)
        await watched.shows(None, "only a text")
        assert "progress" not in watched.status
        watched.tells(7, "", 3)
        await watched.shows(7, None)
        watched.records(*SUCCEEDED)
        watched.tells(99, "late", 4)
        watched.ends()
        await watched.operator.until_finished()
        assert watched.row["state"] == "Succeeded"
        assert not {"progress", "message"} & watched.row.keys()
        assert "progress" not in watched.status

    watch(scenario)


def test_a_flood_of_progress_is_one_write_a_second_and_none_where_nothing_changes() -> None:
    async def scenario(watched: Watched) -> None:
        await watched.runs()
        before, began = len(watched.statuses), time.monotonic()
        for number in range(1, 20_001):
            watched.tells(number / 200, "", number)
            if number % 100 == 0:
                await asyncio.sleep(0)
        await watched.shows(100, None)
        took = time.monotonic() - began
        assert len(watched.statuses) - before <= took / JOB_SECONDS + 1
        before = len(watched.statuses)
        for number in range(20_001, 20_100):
            watched.tells(100, "", number)
        await asyncio.sleep(1.5 * JOB_SECONDS)
        assert len(watched.statuses) == before

    watch(scenario)


def never(job: str, grant: Callable[[], None]) -> None:
    """Give no turn."""
    del job, grant


def test_a_record_waits_for_no_turn_and_leaves_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(watched: Watched) -> None:
        monkeypatch.setattr(watched.operator.progress_budget, "ask", never)
        await watched.runs()
        watched.tells(7, "has no turn")
        watched.records(*SUCCEEDED)
        watched.ends()
        await watched.operator.until_finished()
        assert "has no turn" not in str(watched.statuses)

    watch(scenario)


def test_what_is_written_anyway_takes_the_latest_progress_along(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scenario(watched: Watched) -> None:
        monkeypatch.setattr(watched.operator.progress_budget, "ask", never)
        watched.operator.create(DO)
        watched.tells(7, "early")
        watched.records(*STARTED)
        await watched.shows(7, "early")

    watch(scenario)


def test_another_operator_knows_what_is_shown_and_writes_nothing_for_it() -> None:
    async def scenario(watched: Watched) -> None:
        await watched.runs()
        watched.tells(42.5, "meshing")
        await watched.shows(42.5, "meshing")
        job = EnsoJobObject.of(watched.operator.jobs.get("shot")).job()
        assert job.progress_of("script-0") == Progress("script-0", 1, 42.5, "meshing")
        before = EnsoJobObject.of(watched.operator.jobs.get("shot")).status
        assert status_of(job, 1, before).scripts == before.scripts

    watch(scenario)
