"""The reconciler, as far as it needs no API server: what is seen before anything is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from kubernetes.client import ApiClient, Configuration

from enso_operator.controller.ensojob_actor import LIBRARY_PATIENCE_SECONDS
from enso_operator.controller.reconciler import Reconciler
from enso_operator.coordinator.actor import Listener
from enso_operator.kube.client import Document
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.kube.event_recorder import Recorder
from enso_operator.observability.metrics import Metrics
from enso_operator.sessions.local.backend import LocalSessionBackend
from enso_operator.sessions.local.sessions import LocalSessions
from job_execution_framework.domain.errors import NotYet, ScriptNotFound
from job_execution_framework.domain.events import Event
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.steps import Open
from job_execution_framework.service_layer import services
from job_execution_framework.service_layer.clock import Clock, SystemClock
from job_execution_framework.service_layer.library import ScriptLibrary
from job_execution_framework.service_layer.observations import Observations
from tests.support.jobs import FakeClock
from tests.support.resources import of_scripts

NOWHERE = "http://127.0.0.1:9"
"""Nobody listens there: every call waits for better times."""


class CountingMachine(LocalSessionBackend):
    """Counts how many drivers ask for a job's sessions."""

    drivers = 0

    def sessions(self, ensojob: EnsoJobObject) -> LocalSessions:
        self.drivers += 1
        return super().sessions(ensojob)


def listener(_about: EnsoJobObject) -> Listener:
    def told(_job: Job, _events: Sequence[Event]) -> None: ...

    return told


def reconciler(machine: LocalSessionBackend, clock: Clock | None = None) -> Reconciler:
    client = ApiClient(Configuration(host=NOWHERE))
    recorder = Recorder(client, "test")
    return Reconciler(client, machine, recorder, clock or SystemClock(), Metrics(), listener)


def seen(version: int) -> Document:
    document = of_scripts({})
    document["metadata"] |= {
        "namespace": "default",
        "uid": "4711",
        "resourceVersion": str(version),
        "generation": 1,
        "creationTimestamp": "2026-01-01T00:00:00Z",
    }
    return document


def test_two_sights_in_one_turn_of_the_loop_have_one_actor(tmp_path: Path) -> None:
    async def both() -> int:
        machine = CountingMachine(tmp_path)
        one = reconciler(machine)
        one.on_event("ADDED", seen(1))
        one.on_event("MODIFIED", seen(2))
        await asyncio.sleep(0)
        await one.stop(60)
        return machine.drivers

    assert asyncio.run(both()) == 1


def test_a_deletion_in_the_turn_of_the_first_sight_reaches_the_actor(tmp_path: Path) -> None:
    async def gone() -> Reconciler:
        one = reconciler(LocalSessionBackend(tmp_path))
        one.on_event("ADDED", seen(1))
        one.on_event("DELETED", seen(2))
        while one._tasks:  # pyright: ignore[reportPrivateUsage]  # what it has not done yet
            await asyncio.wait(one._tasks)  # pyright: ignore[reportPrivateUsage]
        return one

    one = asyncio.run(asyncio.wait_for(gone(), 60))
    assert (one.known, one.actors, one.live) == ({}, {}, 0)


@pytest.mark.parametrize("created", ["2026-01-01T00:00:00Z", "2126-01-01T00:00:00Z"])
def test_a_script_may_come_late_whatever_clock_the_api_server_has(
    tmp_path: Path, created: str
) -> None:
    clock = FakeClock()
    document = seen(1)
    document["metadata"]["creationTimestamp"] = created
    document["spec"]["scripts"] = [{"name": "open", "scriptRef": {"name": "open_scene"}}]

    async def planned() -> None:
        one = reconciler(LocalSessionBackend(tmp_path), clock)
        about = EnsoJobObject(document)
        sessions = one.backend.sessions(about)
        actor = one._actor(about, sessions)  # pyright: ignore[reportPrivateUsage]  # not driven
        actor.library = ScriptLibrary([])
        job = about.job()
        step = services.reconcile(job, Observations(), clock.now())
        assert isinstance(step, Open)
        clock.time += LIBRARY_PATIENCE_SECONDS - 1
        with pytest.raises(NotYet, match="open_scene"):
            await actor.plan(job, step)
        clock.time += 1
        with pytest.raises(ScriptNotFound, match="open_scene"):
            await actor.plan(job, step)

    asyncio.run(planned())
