"""Where people are sent to read of a failure, while and after its job cleans up."""

from __future__ import annotations

import pytest

from enso_operator.api.status import EnsoJobStatus
from enso_operator.coordinator.session_location import NOWHERE, SessionLocation
from enso_operator.kube.status.write import status_of
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.outputs import OutputOf
from job_execution_framework.domain.script import Container, Script, Source
from tests.support.coordinator import Coordinator
from tests.support.jobs import job_of
from tests.support.sessions import FAILS


@pytest.mark.parametrize(("failing", "run"), [("save:1", "s1-1"), ("clean:1", "finally-1")])
def test_the_log_is_that_of_the_run_that_failed(failing: str, run: str) -> None:
    driven = Coordinator(job_of("open save finally clean"), {failing: FAILS})
    driven.drive()
    job, status, location = job_of("open save finally clean"), EnsoJobStatus(), NOWHERE
    logs = set[str]()
    for event in driven.job.events:
        job.record(event)
        if job.open_run:
            location = SessionLocation(on=f"node of {job.open_run.run}", log=job.open_run.run)
        status = status_of(job, 1, status, location)
        logs.update(line for line in status.why or () if line.startswith(("log", "on")))
    assert job.finished
    assert logs == {f"on      node of {run}", f"log     {run}"}


def test_a_container_that_lacked_an_output_is_not_said_to_have_run_where_another_did() -> None:
    bake = Script("bake", Source("def main(): pass"))
    tell = Script("tell", Container("curl"), {"CACHE": OutputOf("bake")})
    driven = Coordinator(Job("job", (bake, tell)), {})
    driven.drive()
    assert driven.starts == ["|", "bake:1"]
    location = SessionLocation(pod="job-main-1", on="node of main-1", log="main-1")
    why = status_of(driven.job, 1, EnsoJobStatus(), location).why or []
    assert why[0] == "tell (2 of 2), attempt 1, failed after 0 ms: NoOutput"
    assert not any(line.startswith(("log", "on")) for line in why)
