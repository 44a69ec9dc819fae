"""What a status says that its job waits for is known again after a restart."""

from __future__ import annotations

import pytest

from enso_operator.api.status import EnsoJobStatus
from enso_operator.coordinator.obstacles import is_same
from enso_operator.coordinator.session_location import SessionLocation
from enso_operator.kube.status.read import restored
from enso_operator.kube.status.waits import waits_in
from enso_operator.kube.status.write import status_of
from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import Script, Source
from tests.support.job_history import JobHistory
from tests.unit.operator.kube.status.test_retries_in_status import BROKE, LACKS, LICENCE, waiting

CAUSES = (
    Cause(Reason.UNSCHEDULABLE, "0/3 nodes are available: it waits: for a node; Unschedulable: no"),
    Cause(Reason.FAILED_CREATE, 'pods "shot-main-1" is forbidden:\n exceeded quota: \x07'),
    Cause(Reason.SESSION_LOST, "its Pod is gone " * 200),
)


def after_restart(job: Job, waits: Cause | None) -> Cause | None:
    status = status_of(job, 1, EnsoJobStatus(), SessionLocation(waits=waits))
    job = Job("job", job.scripts, job.sessions)
    return waits_in(status, restored(job, status, 1))


def opened(*, runs: bool) -> Job:
    history = JobHistory(Job("job", (Script("render", Source("x")),)))
    history.opens("main")
    if runs:
        history.record_in_session(events.ScriptStarted, "render")
    return history.job


@pytest.mark.parametrize("cause", CAUSES)
def test_it_is_the_same_cause(cause: Cause) -> None:
    for job in (
        Job("job", (Script("render", Source("x")),)),
        opened(runs=False),
        opened(runs=True),
    ):
        assert is_same(after_restart(job, cause), cause)


@pytest.mark.parametrize("cause", CAUSES)
def test_it_hides_no_wait_of_the_job_itself(cause: Cause) -> None:
    for failed in (LICENCE, BROKE, LACKS):
        assert is_same(after_restart(waiting(failed), cause), cause)
        assert after_restart(waiting(failed), None) is None


def test_a_job_that_goes_on_waits_for_nothing() -> None:
    assert after_restart(opened(runs=False), None) is None
    assert after_restart(opened(runs=True), None) is None
