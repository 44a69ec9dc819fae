"""The plan of an EnsoJob, before anything of it runs."""

from __future__ import annotations

import asyncio

import pytest

from enso_operator.controller.planner import LIBRARY_PATIENCE_SECONDS, EnsoJobPlanner
from enso_operator.kube.ensojob import EnsoJobObject
from job_execution_framework.domain.errors import NotYet, ScriptNotFound
from job_execution_framework.domain.steps import Open
from job_execution_framework.service_layer import services
from job_execution_framework.service_layer.library import ScriptLibrary
from job_execution_framework.service_layer.observations import Observations
from tests.support.in_memory_objects import InMemoryCluster
from tests.support.jobs import FakeClock
from tests.support.resources import of_scripts
from tests.support.simulated_backend import SimulatedSessions


@pytest.mark.parametrize("created", ["2026-01-01T00:00:00Z", "2126-01-01T00:00:00Z"])
def test_a_script_may_come_late_whatever_clock_the_api_server_has(created: str) -> None:
    clock, jobs = FakeClock(), InMemoryCluster().objects("shows")
    names = ("open_scene", "save_scene")
    document = jobs.create(of_scripts(*({"scriptRef": {"name": name}} for name in names)))
    document["metadata"]["creationTimestamp"] = created

    async def planned() -> None:
        ensojob = EnsoJobObject(document)
        planner = EnsoJobPlanner(ScriptLibrary([]), SimulatedSessions(), clock)
        job = ensojob.job()
        step = services.reconcile(job, Observations(), clock.now())
        assert isinstance(step, Open)
        clock.time += LIBRARY_PATIENCE_SECONDS - 1
        with pytest.raises(NotYet, match=r"open_scene.*; script 'script-1'.*save_scene"):
            await planner.plan(job, step)
        clock.time += 1
        with pytest.raises(ScriptNotFound, match=r"open_scene.*; script 'script-1'.*save_scene"):
            await planner.plan(job, step)

    asyncio.run(planned())
