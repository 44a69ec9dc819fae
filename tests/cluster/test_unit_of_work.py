"""What a commit means on a real API server: one guarded patch, and what people see of it."""

from __future__ import annotations

import json

import pytest

from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.kube.unit_of_work import KubernetesJobUnitOfWork
from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Cause
from job_execution_framework.domain.errors import Conflict, InvalidJob, JobNotFound, Unreadable
from job_execution_framework.domain.job import Job
from job_execution_framework.service_layer import services
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.support.decisions import decisions
from tests.support.job_history import JobHistory
from tests.support.resources import of_scripts

OUT_OF_MEMORY = Cause("OutOfMemory", "cache exceeded 2 GiB", "MemoryError")
TEN = of_scripts(*[{"args": {"frame": i}} for i in range(10)])


def fail(uow: KubernetesJobUnitOfWork, name: str = "shot") -> Job:
    """Let the job run until its second script fails for good."""
    with uow:
        history = JobHistory(uow.jobs.get(name))
        history.opens("main")
        history.runs("script-0")
        history.runs("script-1", OUT_OF_MEMORY)
        history.ends()
        history.fails("script-1", OUT_OF_MEMORY)
        uow.commit()
    return history.job


def test_a_job_that_failed_as_kubectl_shows_it(ns: ClusterNamespace) -> None:
    ns.apply(TEN)
    job = fail(ns.uow())

    waited = ns.kubectl("wait", "--for=condition=Finished", "ensojob/shot", "--timeout=120s")
    columns = ns.kubectl("get", "ensojob", "shot").splitlines()[1].split()
    described = ns.kubectl("describe", "ensojob", "shot")
    status = ns.get()["status"]

    assert "condition met" in waited
    assert columns[:5] == ["shot", "Failed", "1/10", "script-1", "OutOfMemory"]
    assert [row["name"] for row in status["scripts"]] == [f"script-{i}" for i in range(10)]
    assert described.index("  Why:") > described.index("  Scripts:")
    assert described.split("  Why:")[1].splitlines()[1].strip().startswith("script-1 (2 of 10)")
    assert status["observedGeneration"] == 1
    assert decisions(ns.uow().jobs.get("shot"), 2000) == decisions(job, 2000)


def test_what_a_resume_removes_is_removed(ns: ClusterNamespace) -> None:
    ns.apply(TEN)
    uow = ns.uow()
    fail(uow)

    services.resume("shot", job_uow=uow, by="ann")

    status = ns.get()["status"]
    assert {"why", "failure", "reason", "script", "completionTime"}.isdisjoint(status)
    assert status["ledger"]["resumes"] == 1
    assert str(uow.jobs.get("shot").state) == "Running"


def test_a_commit_is_one_write_and_one_without_news_is_none(ns: ClusterNamespace) -> None:
    ns.apply(TEN)
    mark = ns.cluster.audit.mark()
    uow = ns.uow()

    fail(uow)
    with uow:
        loaded, version = uow.load("shot")
        for _ in range(2):
            assert uow.save(loaded, [], version) == version
        uow.jobs.get("shot")
        uow.commit()

    assert ns.writes(mark) == ["patch"]


def test_the_first_sight_and_a_new_generation_are_written_without_an_event(
    ns: ClusterNamespace,
) -> None:
    ns.apply(TEN)
    uow = ns.uow()
    for change in ({}, {"ttlSecondsAfterFinished": 60}):
        ns.kubectl("patch", "ensojob/shot", "--type=merge", "-p", json.dumps({"spec": change}))
        mark = ns.cluster.audit.mark()
        with uow:
            uow.jobs.get("shot")
            uow.commit()
            uow.commit()
        document = ns.get()
        assert ns.writes(mark) == ["patch"]
        assert document["status"]["observedGeneration"] == document["metadata"]["generation"]
        assert {
            condition["type"]: condition["status"] for condition in document["status"]["conditions"]
        } == {
            "Succeeded": "Unknown",
            "Finished": "False",
            "Ready": "False",
            "Reconciling": "True",
            "Stalled": "False",
        }
    assert str(uow.jobs.get("shot").state) == "Waiting"


def test_whoever_wrote_in_between_is_not_overwritten(ns: ClusterNamespace) -> None:
    ns.apply(TEN)
    with ns.uow() as uow:
        uow.jobs.get("shot").record(events.JobStarted(at=5))
        ns.kubectl("patch", "ensojob/shot", "--type=merge", "-p", '{"spec":{"suspend":true}}')
        with pytest.raises(Conflict, match="modified"):
            uow.commit()
        uow.rollback()
        uow.jobs.get("shot").record(events.JobStarted(at=5))
        uow.commit()
    assert ns.get()["status"]["observedGeneration"] == 2


def test_a_job_that_was_deleted_is_gone_and_another_of_its_name_is_another_job(
    ns: ClusterNamespace,
) -> None:
    ns.apply(TEN)
    with ns.uow() as uow:
        uow.jobs.get("shot").record(events.JobStarted(at=5))
        ns.kubectl("delete", "ensojob", "shot")
        with pytest.raises(JobNotFound, match="shot is gone"):
            uow.commit()
        ns.apply(TEN)
        with pytest.raises(Conflict):
            uow.commit()
    assert str(ns.uow().jobs.get("shot").state) == "Waiting"


def test_an_object_from_a_watch_is_loaded_without_asking(ns: ClusterNamespace) -> None:
    ns.apply(TEN)
    uow = ns.uow()
    uow.hand_in(EnsoJobObject(ns.get()))
    mark = ns.cluster.audit.mark()
    with uow:
        uow.jobs.get("shot").record(events.JobStarted(at=5))
        uow.commit()
        assert uow.ensojob("shot").uid == ns.get()["metadata"]["uid"]
    verbs = [
        request.verb
        for request in ns.requests(mark)
        if not request.user_agent.startswith("kubectl")
    ]
    assert verbs == ["patch"]


def test_a_spec_is_held_once_however_often_its_object_is_read(ns: ClusterNamespace) -> None:
    ns.apply(TEN)
    first = ns.get()
    with ns.uow() as uow:
        uow.hand_in(EnsoJobObject(first))
        uow.jobs.get("shot").record(events.JobStarted(at=5))
        uow.commit()
        ns.kubectl("label", "ensojob/shot", "read=again")
        uow.hand_in(EnsoJobObject(ns.get()))
        uow.jobs.get("shot")
        assert uow.ensojob("shot").document["metadata"]["labels"] == {"read": "again"}
        assert uow.ensojob("shot").document["spec"] is first["spec"]


def test_a_resource_that_makes_no_job_says_why(ns: ClusterNamespace) -> None:
    broken = of_scripts({"args": {"x": 1}, "argsFrom": [{"name": "x", "secretKeyRef": KEY}]})
    ns.apply(broken)
    ns.apply(TEN | {"metadata": {"name": "other"}})
    with ns.uow() as uow:
        with pytest.raises(InvalidJob, match="is in args, too") as error:
            uow.jobs.get("shot")
        uow.refuse("shot", str(error.value), 1000)
    ns.kubectl("wait", "--for=condition=Stalled", "ensojob/shot", "--timeout=120s")
    assert "is in args, too" in ns.get()["status"]["why"][0]
    assert [job.id for job in ns.uow().jobs.all()] == ["other"]


KEY = {"name": "tracker", "key": "token"}


def test_a_status_that_somebody_broke_is_an_error_with_a_sentence(ns: ClusterNamespace) -> None:
    ns.apply(TEN)
    status = json.dumps({"status": {"conditions": [CONDITION]}})
    ns.kubectl("patch", "ensojob/shot", "--subresource=status", "--type=merge", "-p", status)
    with pytest.raises(Unreadable, match="status of job shot"):
        ns.uow().jobs.get("shot")


CONDITION = {
    "type": "Succeeded",
    "status": "Unknown",
    "reason": "Wondering",
    "lastTransitionTime": "2026-01-01T00:00:00Z",
}
