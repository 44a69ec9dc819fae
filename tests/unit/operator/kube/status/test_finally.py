"""Finally scripts in the status of an EnsoJob."""

from __future__ import annotations

import pytest

from enso_operator.api.status import EnsoJobStatus
from enso_operator.kube.status.write import status_of
from job_execution_framework.domain import events
from job_execution_framework.domain.actions import Cancel, Resume
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.row import ScriptState
from job_execution_framework.domain.script import FINALLY
from tests.support.coordinator import Coordinator
from tests.support.job_history import JobHistory
from tests.support.jobs import job_of
from tests.unit.operator.kube.status.test_simulation import through_status

BROKE = Cause(Reason.EXCEPTION, "it broke", error="ValueError")


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


def completed_at(job: Job) -> float | None:
    time = status_of(job, 1, EnsoJobStatus()).completion_time
    return time.timestamp() if time else None


@pytest.mark.parametrize("end", ["Succeeded", "Failed", "Cancelled"])
def test_a_job_is_completed_when_the_last_of_them_is_over(end: str) -> None:
    history = JobHistory(job_of("render finally clean tell"))
    if end == "Cancelled":
        history.job.obey(Cancel(), history.at + 1)
    elif end == "Failed":
        history.record(events.JobFailed, cause=BROKE, script="render")
    else:
        history.record(events.JobSucceeded)
    decided_at = history.job.ended_at
    told = [completed_at(history.job)]
    history.at += 100
    history.opens(FINALLY)
    history.runs("clean")
    told.append(completed_at(through_status(history.job)))
    history.runs("tell")
    told.append(completed_at(history.job))
    history.ends()
    assert told == [None] * 3
    assert completed_at(history.job) == history.at
    assert completed_at(through_status(history.job)) == history.at
    assert history.job.ended_at == decided_at


def test_a_job_that_is_restored_while_they_run_has_ended() -> None:
    history = JobHistory(job_of("render finally clean"))
    history.record(events.JobFailed, cause=BROKE, script="render")
    assert through_status(history.job).ended_at == history.job.ended_at
    history.opens(FINALLY)
    history.runs("clean")
    again = JobHistory(through_status(history.job))
    again.ends()
    assert again.job.finished
    assert completed_at(again.job) == again.at


def test_one_that_is_stopped_before_it_is_started_again_completes_the_job() -> None:
    history = JobHistory(job_of("render finally clean.retry1", backoff=600))
    history.record(events.JobSucceeded)
    history.opens(FINALLY)
    history.runs("clean", BROKE)
    history.ends()
    assert completed_at(history.job) is None
    history.job.obey(Cancel(), history.at + 50)
    assert completed_at(history.job) == history.at + 50
