"""The actor of an EnsoJob: what it plans, before anything of the job runs."""

from __future__ import annotations

import asyncio

import pytest

from enso_operator.controller.ensojob_actor import LIBRARY_PATIENCE_SECONDS, EnsoJobActor
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.kube.unit_of_work import KubernetesJobUnitOfWork
from enso_operator.observability.metrics import Metrics
from job_execution_framework.domain.errors import NotYet, ScriptNotFound
from job_execution_framework.domain.steps import Open
from job_execution_framework.service_layer import services
from job_execution_framework.service_layer.library import ScriptLibrary
from job_execution_framework.service_layer.observations import Observations
from tests.support.in_memory_objects import InMemoryCluster
from tests.support.jobs import FakeClock
from tests.support.kept_events import KeptEvents
from tests.support.resources import of_scripts
from tests.support.simulated_backend import SimulatedSessions


@pytest.mark.parametrize("created", ["2026-01-01T00:00:00Z", "2126-01-01T00:00:00Z"])
def test_a_script_may_come_late_whatever_clock_the_api_server_has(created: str) -> None:
    clock, jobs = FakeClock(), InMemoryCluster().objects("shows")
    script = {"name": "open", "scriptRef": {"name": "open_scene"}}
    document = jobs.create(of_scripts(script))
    document["metadata"]["creationTimestamp"] = created

    async def planned() -> None:
        ensojob = EnsoJobObject(document)
        actor = EnsoJobActor(
            ensojob,
            job_uow=KubernetesJobUnitOfWork(jobs),
            sessions=SimulatedSessions(),
            library=ScriptLibrary([]),
            clock=clock,
            listener=lambda _job, _events: None,
            recorder=KeptEvents(),
            metrics=Metrics(),
        )
        job = ensojob.job()
        step = services.reconcile(job, Observations(), clock.now())
        assert isinstance(step, Open)
        clock.time += LIBRARY_PATIENCE_SECONDS - 1
        with pytest.raises(NotYet, match="open_scene"):
            await actor.plan(job, step)
        clock.time += 1
        with pytest.raises(ScriptNotFound, match="open_scene"):
            await actor.plan(job, step)

    asyncio.run(planned())
