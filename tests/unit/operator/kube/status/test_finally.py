"""Finally scripts in the status of an EnsoJob."""

from __future__ import annotations

from job_execution_framework.domain.actions import Resume
from job_execution_framework.domain.row import ScriptState
from tests.support.coordinator import Coordinator
from tests.support.jobs import job_of
from tests.unit.operator.kube.status.test_simulation import through_status


def test_one_that_waits_for_the_next_end_has_no_arguments_of_an_attempt() -> None:
    coordinator = Coordinator(job_of("render finally clean"), {})
    coordinator.drive()
    job = coordinator.job
    assert through_status(job).rows["clean"].latest.parameters == {}
    job.obey(Resume(from_script="render"), 2000)
    again = through_status(job).rows["clean"]
    assert again == job.rows["clean"]
    assert (again.attempt, again.state) == (1, ScriptState.NOT_STARTED)
    assert again.latest.parameters is None
