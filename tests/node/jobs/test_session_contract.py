"""Sessions in Pods keep what every kind of session promises."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from dev.node.images import PYTHON
from dev.node.operator_image import NAME as OPERATOR

from enso_operator.kube.connection import configuration_of
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.kube.loop_client import LoopClient
from enso_operator.sessions.pods.backend import PodSessionBackend
from enso_operator.sessions.pods.logs import PodLogs
from enso_operator.sessions.pods.names import pod_name
from enso_operator.sessions.pods.sessions import PodSessions
from enso_operator.settings import PodSettings
from job_execution_framework.service_layer.clock import SystemClock
from tests.node.jobs.pod_namespace import Document, PodNamespace
from tests.support.resources import of_scripts
from tests.support.session_bench import Bench
from tests.support.session_contract import SessionContract

LOOK_SECONDS = 0.2


class PodBench(Bench):
    """The sessions of an EnsoJob that no operator looks after."""

    journal, control = "/enso/run/journal", "/enso/control/control"

    def __init__(self, ns: PodNamespace) -> None:
        self.ns = ns
        ns.apply(of_scripts({"name": "s1"}, {"name": "s2"}, suspend=True))
        self._about = EnsoJobObject(ns.get(self.job_id))
        self._machines: list[PodSessionBackend] = []
        self._sessions = self.another()

    @property
    def sessions(self) -> PodSessions:
        return self._sessions

    def another(self) -> PodSessions:
        self._machines.append(self._new_machine())
        return self._machines[-1].sessions(self._about)

    def output(self, run: str) -> str:
        return self.ns.output(self._pod(run))

    def kill(self, run: str) -> None:
        (supervisor,) = self.ns.processes("/enso/plan", self._document(run))[:1]
        os.kill(supervisor, signal.SIGKILL)

    @asynccontextmanager
    async def watched(self) -> AsyncGenerator[None]:
        """Look instead of watching: what a watch brings late, or twice, changes nothing."""
        task = asyncio.create_task(self._look())
        try:
            yield
        finally:
            task.cancel()
            for machine in self._machines:
                await machine.logs.close()  # each test has an event loop of its own
                await machine.client.close_connections()

    async def _look(self) -> None:
        pods: dict[str, Document] = {}
        while True:
            found = {pod["metadata"]["uid"]: pod for pod in await asyncio.to_thread(self.ns.pods)}
            for machine in self._machines:
                for pod in found.values():
                    machine.on_event("MODIFIED", pod)
                for uid in pods.keys() - found.keys():
                    machine.on_event("DELETED", pods[uid])
            pods = found
            await asyncio.sleep(LOOK_SECONDS)

    def _new_machine(self) -> PodSessionBackend:
        client = LoopClient(configuration_of(self.ns.client))
        settings = PodSettings(records_image=OPERATOR, session_image=PYTHON)
        logs = PodLogs(configuration_of(self.ns.client))
        return PodSessionBackend(client, logs, settings, SystemClock())

    def _pod(self, run: str) -> str:
        return pod_name(self._about.name, run, self._about.uid)

    def _document(self, run: str) -> Document:
        return next(p for p in self.ns.pods() if p["metadata"]["name"] == self._pod(run))


@pytest.fixture
def bench(ns: PodNamespace) -> PodBench:
    return PodBench(ns)


class TestPodSessions(SessionContract):
    """The contract, with Pods."""
