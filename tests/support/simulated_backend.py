"""Sessions of EnsoJobs without processes: scripts end at once, or after a session control."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection
from dataclasses import dataclass, field

from enso_operator.coordinator.session_location import NOWHERE, SessionLocation
from enso_operator.kube.ensojob import EnsoJobObject
from job_execution_framework.domain.control import SessionControl
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import Script
from job_execution_framework.service_layer.observations import Ended, Observations
from job_execution_framework.service_layer.plan import Plan
from job_execution_framework.service_layer.records import from_log, only_events
from tests.support.jobs import FakeClock
from tests.support.sessions import FAILS, SUCCEEDS, Fate, SimulatedSession


class SimulatedSessions:
    """Implements `coordinator.sessions.Sessions`."""

    location: SessionLocation = NOWHERE

    def __init__(self, *, waits_for_control: bool = False, failing: Collection[str] = ()) -> None:
        self.runs: dict[str, SimulatedSession] = {}
        self.plans: dict[str, Plan] = {}
        self.waits_for_control, self.failing = waits_for_control, failing

    def check(self, job: Job) -> None:
        del job

    async def open(self, plan: Plan) -> str:
        self.plans[plan.run] = plan
        return self.runs.setdefault(plan.run, SimulatedSession(plan)).uid

    async def release(self, run: str, uid: str) -> None:
        assert self.runs[run].uid == uid
        self.runs[run].released = True

    async def follow(self, run: str, uid: str, after: int = 0) -> AsyncGenerator[Observations]:
        del uid, after
        session = self.runs[run]
        while self.waits_for_control and not session.control.stops:  # noqa: ASYNC110  # as a process does
            await asyncio.sleep(0.005)
        while session.alive:
            session.run_one_script(self._fate, FakeClock())
        ended = Ended(log_is_complete=True)
        yield Observations(run=run, records=only_events(from_log(session.log)), ended=ended)

    def _fate(self, script: Script, attempt: int) -> Fate:
        del attempt
        return FAILS if script.name in self.failing else SUCCEEDS

    async def tell(self, run: str, uid: str, control: SessionControl) -> None:
        del uid
        self.runs[run].control = control

    async def reap(self, patience: float) -> None:
        del patience


@dataclass
class SimulatedBackend:
    """Implements `reconciler.SessionBackend`, and records the calls."""

    requested_uids: list[str] = field(default_factory=list[str])
    """The uids of jobs whose sessions were requested, in order."""
    forgotten: list[str] = field(default_factory=list[str])
    waits_for_control: bool = False
    """Whether sessions wait until they get a control."""
    failing: set[str] = field(default_factory=set[str])
    """Names of scripts that fail."""
    created: list[SimulatedSessions] = field(default_factory=list[SimulatedSessions])
    kept: list[set[str]] = field(default_factory=list[set[str]])
    """The uids that each call of `tidy` kept."""

    def sessions(self, ensojob: EnsoJobObject) -> SimulatedSessions:
        self.requested_uids.append(ensojob.uid)
        self.created.append(
            SimulatedSessions(waits_for_control=self.waits_for_control, failing=self.failing)
        )
        return self.created[-1]

    async def forget(self, namespace: str, uid: str) -> None:
        del namespace
        self.forgotten.append(uid)

    async def tidy(self, namespaces: Collection[str], known: Collection[str]) -> None:
        del namespaces
        self.kept.append({*known})
