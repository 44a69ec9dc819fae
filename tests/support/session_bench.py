"""A job on a bench, and the sessions that run it: what the contract of sessions is tested on."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager

import pytest

from enso_operator.coordinator.sessions import Sessions
from job_execution_framework.domain import events
from job_execution_framework.domain.fail_on import FailOn
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.retries import Retries
from job_execution_framework.domain.script import Script, Session, Source
from job_execution_framework.domain.steps import Open
from job_execution_framework.service_layer.library import ScriptLibrary
from job_execution_framework.service_layer.observations import Ended, Observations
from job_execution_framework.service_layer.plan import Plan

DEADLINE_SECONDS = 120
NO_RETRIES = Retries()


class Bench(ABC):
    """A job, and the sessions that run it."""

    journal: str
    """The path of the session's own journal, for hostile scripts."""
    control: str
    """The path of what the session is told."""
    job_id = "shot"

    @property
    @abstractmethod
    def sessions(self) -> Sessions:
        """The adapter under test."""

    @abstractmethod
    def another(self) -> Sessions:
        """Return the adapter that another coordinator of the same job would use."""

    @abstractmethod
    def output(self, run: str) -> str:
        """Return the run's output so far."""

    @abstractmethod
    def kill(self, run: str) -> None:
        """End the supervisor of the run with SIGKILL."""

    @asynccontextmanager
    async def watched(self) -> AsyncGenerator[None]:
        """Watch the Pods of the sessions inside the ``with`` block, if the adapter needs it."""
        yield

    def plan(
        self,
        *sources: str,
        interpreter: tuple[str, ...] = ("python3",),
        end_timeout: float = 60,
        retries: Retries = NO_RETRIES,
        fail_on: tuple[FailOn, ...] = (),
    ) -> Plan:
        scripts = tuple(
            Script(f"s{i}", Source(source, f"s{i}.py"), retries=retries, fail_on=fail_on)
            for i, source in enumerate(sources, 1)
        )
        session = Session(interpreter=interpreter, end_timeout_seconds=end_timeout)
        job = Job(self.job_id, scripts, (session,))
        job.record(events.JobAdded(at=0))
        job.record(events.JobStarted(at=0))
        step = job.next(0)
        assert isinstance(step, Open)
        return Plan.of(job, step, ScriptLibrary([]))

    def waits_for(self, word: str) -> str:
        """Return a script that runs until the session is told something with this word in it."""
        return (
            "import pathlib, time\n"
            "def main():\n"
            "    print('up', flush=True)\n"
            f"    control = pathlib.Path({self.control!r})\n"
            f"    while not control.exists() or {word!r} not in control.read_text():\n"
            "        time.sleep(0.05)\n"
        )

    async def started(self, plan: Plan) -> str:
        """Open and release a run; return its uid when its first script has written something."""
        uid = await self.sessions.open(plan)
        await self.sessions.release(plan.run, uid)
        async with asyncio.timeout(DEADLINE_SECONDS):
            while "up" not in self.output(plan.run):  # noqa: ASYNC110  # another process writes it
                await asyncio.sleep(0.1)
        return uid

    async def run(self, plan: Plan) -> tuple[list[str], Ended]:
        """Open, release and follow a run; return its records, and how it ended."""
        uid = await self.sessions.open(plan)
        await self.sessions.release(plan.run, uid)
        return await self.follow(plan.run, uid)

    async def follow(
        self, run: str, uid: str, sessions: Sessions | None = None
    ) -> tuple[list[str], Ended]:
        labels: list[str] = []
        said = (sessions or self.sessions).follow(run, uid)
        async with asyncio.timeout(DEADLINE_SECONDS), self.watched(), aclosing(said) as following:
            async for observations in following:
                labels += event_labels(observations)
                if observations.ended:
                    return labels, observations.ended
        pytest.fail("the follow ended without the session's end")


def event_labels(observations: Observations) -> list[str]:
    return [
        f"{event.script} {type(event).__name__.removeprefix('Script')}"
        if isinstance(event, events.ScriptEvent)
        else type(event).__name__
        for event in observations.records
    ]
