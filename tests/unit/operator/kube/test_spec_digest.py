"""The operator knows the spec of its first sight again; another one ends the job in order."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from enso_operator.api.digest import digest_of
from enso_operator.api.status import EnsoJobStatus
from enso_operator.api.v1alpha1 import EnsoJobSpec
from enso_operator.controller.ensojob_actor import spec_actions_of
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.kube.status.size import document_of
from enso_operator.kube.status.write import status_of
from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Cause
from job_execution_framework.domain.control import CANCEL, control_of
from job_execution_framework.service_layer import services
from job_execution_framework.service_layer.observations import Ended, Observations
from tests.support.job_history import JobHistory
from tests.support.resources import Document, of_scripts

SCRIPTS: tuple[Document, ...] = (
    {"args": {"frames": 1, "scene": {"path": ["a"]}}},
    {},
    {"session": "b"},
)
SHOT = of_scripts(*SCRIPTS, sessions=[{"name": "a"}, {"name": "b"}])


def document(given: Document = SHOT, generation: int = 1, **status: object) -> Document:
    stored = {"namespace": "ns", "uid": "u", "resourceVersion": "7", "generation": generation}
    stored["creationTimestamp"] = "2026-11-24T02:00:00Z"
    return given | {"metadata": given["metadata"] | stored, "status": status}


def digest(given: Document) -> str:
    return digest_of(EnsoJobSpec.model_validate(given["spec"]))


def changed(**args: object) -> Document:
    other = deepcopy(SHOT)
    other["spec"]["scripts"][0]["args"] = args
    return other


def told(history: JobHistory, seen: EnsoJobObject) -> Document:
    status = status_of(history.job, seen.generation, seen.status, spec_digest=seen.spec_digest)
    return document_of(status)


def running() -> tuple[JobHistory, Document]:
    """The job while its first script runs, and its status."""
    seen = EnsoJobObject(document())
    history = JobHistory(seen.job())
    history.opens("a")
    history.record_in_session(events.ScriptStarted, "script-0")
    return history, told(history, seen)


def test_what_equals_its_default_and_what_may_change_is_not_in_the_digest() -> None:
    filled = deepcopy(SHOT)
    filled["spec"] |= {"suspend": True, "ttlSecondsAfterFinished": 60}
    for script in filled["spec"]["scripts"]:
        script |= {"retries": {"limit": 0, "backoffSeconds": 0}, "setup": False, "argsFrom": []}
    for session in filled["spec"]["sessions"]:
        session |= {"interpreter": ["python3"], "onInterrupted": {"policy": "Fail"}, "env": []}
    assert digest(filled) == digest(SHOT)


@pytest.mark.parametrize(
    "args",
    [
        {"renamed": 1, "scene": {"path": ["a"]}},
        {"frames": 1, "scene": {"pth": ["a"]}},
        {"frames": 1, "scene": {"path": ["b"]}},
        {"frames": "1", "scene": {"path": ["a"]}},
        {"frames": True, "scene": {"path": ["a"]}},
        {"frames": 1, "scene": {"path": ["a"]}, "more": None},
    ],
)
def test_every_change_of_arguments_is_in_the_digest(args: dict[str, object]) -> None:
    assert digest(changed(**args)) != digest(SHOT)


def test_the_digest_of_first_sight_is_kept() -> None:
    history, status = running()
    assert status["ledger"]["specDigest"] == digest(SHOT)
    later = EnsoJobObject(document(changed(evil=666), 2, **status))
    assert told(history, later)["ledger"]["specDigest"] == digest(SHOT)


def test_a_job_without_a_digest_gets_the_one_of_now() -> None:
    _, status = running()
    del status["ledger"]["specDigest"]
    seen = EnsoJobObject(document(**status))
    assert (seen.broken, seen.is_observed) == (None, False)
    assert seen.spec_digest == digest(SHOT)


def test_a_digest_over_other_fields_says_nothing_and_is_replaced() -> None:
    _, status = running()
    status["ledger"]["specDigest"] = "00000000-" + "a" * 32
    seen = EnsoJobObject(document(**status))
    assert (seen.broken, seen.is_observed) == (None, False)
    assert seen.spec_digest == digest(SHOT)


OTHERS: dict[str, Any] = {
    "an argument": changed(evil=666),
    "a spec of other scripts": of_scripts({"name": "other"}),
    "no job at all": of_scripts({"args": {"x": 1}, "argsFrom": [{"name": "x"}]}),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_a_job_whose_spec_was_changed_is_ended_in_order(other: Document) -> None:
    _, status = running()
    seen = EnsoJobObject(document(other, 2, **status))
    job, (_, broken) = seen.job(), spec_actions_of(seen)

    services.reconcile(job, Observations(broken=broken), 2000)
    told = control_of(job)
    ended = Ended(log_is_complete=False, cause=Cause("SessionLost", "gone"))
    services.reconcile(job, Observations(ended=ended), 2001)

    assert told == CANCEL
    assert job.finished
    assert str(job.state) == "Failed"
    status = document_of(status_of(job, 2, seen.status, spec_digest=seen.spec_digest))
    assert status["reason"] == "InvalidJob"
    states = [row["state"] for row in status["scripts"]]
    assert states == ["Interrupted", "Interrupted", "NotStarted"]
    assert "frames" not in str(status)
    assert "evil" not in str(status)


def test_a_job_that_has_ended_stays_as_it_was() -> None:
    history, _ = running()
    history.record_in_session(events.ScriptSucceeded, "script-0")
    for script in ("script-1",):
        history.runs(script)
    history.ends()
    history.record(events.JobCancelled)
    status = told(history, EnsoJobObject(document()))
    seen = EnsoJobObject(document(changed(evil=666), 2, **status))
    job = seen.job()

    services.reconcile(job, Observations(broken=spec_actions_of(seen)[1]), 2000)

    assert str(job.state) == "Cancelled"
    states = [str(row.state) for row in job.rows.values()]
    assert states == ["Succeeded", "Succeeded", "NotStarted"]


def test_a_resource_that_never_made_a_job_is_still_refused() -> None:
    seen = EnsoJobObject(document(OTHERS["no job at all"]))
    assert seen.broken is None
    assert EnsoJobStatus().scripts is None
