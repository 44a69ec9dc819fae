"""Outputs of scripts in the status of an EnsoJob: exactly what `main` returned comes back."""

from __future__ import annotations

import pytest

from enso_operator.api.status import EnsoJobStatus
from enso_operator.kube.merge_patch import has_null_in_list, merged
from enso_operator.kube.status.size import document_of
from enso_operator.kube.status.write import status_of
from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.outputs import Output
from job_execution_framework.domain.script import Script, Source
from tests.unit.operator.kube.status.test_simulation import through_status

VALUES: list[object] = [
    "/fx/010.bgeo",
    {"path": None, "": [None, {"a": None}], "é\n": 1.5},
    False,
    0,
    [],
    2**63 - 1,
    [[[]]] * 3,
]


def began() -> Job:
    job = Job("job", (Script("bake", Source("x")), Script("save", Source("x"))))
    for kind in (events.JobAdded, events.JobStarted):
        job.record(kind(at=0))
    return job


def bakes(job: Job, output: object, attempt: int = 1) -> None:
    job.record(job.script_event(events.ScriptStarted, "bake", attempt, 5))
    job.record(job.script_event(events.ScriptSucceeded, "bake", attempt, 5, output=output))


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_an_output_comes_back_as_it_was(value: object) -> None:
    job = began()
    bakes(job, value)
    again = through_status(job)
    assert repr(again.rows["bake"].output) == repr(Output(value, 1))
    row = document_of(status_of(job, 1, EnsoJobStatus()))["scripts"][0]
    assert row["output"] == value
    assert "outputAttempt" not in row


def test_a_script_without_output_has_none_in_the_status() -> None:
    job = began()
    bakes(job, None)
    assert "output" not in str(document_of(status_of(job, 1, EnsoJobStatus())))


def test_a_later_attempt_does_not_seem_to_have_given_the_output_of_an_earlier_one() -> None:
    job = began()
    bakes(job, "/1")
    lost = Cause(Reason.SESSION_LOST, "gone")
    job.record(job.script_event(events.ScriptInterrupted, "bake", 2, 5, cause=lost))
    again = through_status(job)
    assert again.rows["bake"].output == job.rows["bake"].output == Output("/1", 1)
    told = [e.output for e in again.events if isinstance(e, events.ScriptSucceeded)]
    assert told == ["/1"]

    bakes(job, "/3", attempt=3)
    again = through_status(job)
    assert again.rows["bake"].output == Output("/3", 3)
    told = [e.output for e in again.events if isinstance(e, events.ScriptSucceeded)]
    assert told == [None, "/3"], "what the first attempt gave is not known any more"


def test_only_a_null_in_a_list_is_lost_in_a_patch() -> None:
    assert not has_null_in_list({"ledger": {"run": None}, "scripts": [{"output": 1}]})
    assert has_null_in_list({"scripts": [{"output": {"a": None}}]})


def test_a_patch_with_such_a_null_is_applied_before_it_is_sent() -> None:
    before = {"ledger": {"run": {"name": "a"}, "resumes": 1}, "pod": "p"}
    patch = {"ledger": {"run": None}, "pod": None, "scripts": [{"output": {"a": None}}]}
    assert merged(before, patch) == {"ledger": {"resumes": 1}, "scripts": patch["scripts"]}
    assert merged(None, {"done": "0/1"}) == {"done": "0/1"}
