"""Events on a real API server: each fact once, in order, however often it is posted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from dev.cluster.plane import Cluster
from kubernetes.client import ApiClient

from enso_operator.kube.client import ApiObjects
from enso_operator.kube.connection import configuration_of
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.kube.event_recorder import Recorder
from enso_operator.kube.loop_client import LoopClient
from enso_operator.kube.unit_of_work import KubernetesJobUnitOfWork
from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Cause
from job_execution_framework.domain.job import Job
from tests.support.job_history import JobHistory
from tests.support.resources import of_scripts

CAUSE = Cause("OutOfMemory", "cache exceeded\n2 GiB", "MemoryError")


class RecordedJob:
    """One job in a namespace, and its Events."""

    def __init__(self, cluster: Cluster, client: ApiClient, namespace: str) -> None:
        self.client, self.cluster, self.namespace = client, cluster, namespace
        long = dict.fromkeys("abcd", "é" * 200)
        document = of_scripts({"args": {"frames": 240}}, {"args": long})
        self.objects = ApiObjects(client, namespace, "ensojobs")
        self.ensojob = EnsoJobObject(self.objects.create(document))
        self.history = JobHistory(self.ensojob.job(), at=1000)

    @property
    def job(self) -> Job:
        return self.history.job

    def post(self, *instances: str, since: int = 1, of: Job | None = None) -> None:
        asyncio.run(self._post(instances, of or self.job, since))

    async def _post(self, instances: Sequence[str], job: Job, since: int) -> None:
        client = LoopClient(configuration_of(self.client))
        for instance in instances:
            recorder = Recorder(client, instance)
            for document in recorder.documents(self.ensojob, job, job.events[since:]):
                await recorder.send(document)
        await client.close_connections()

    def events(self) -> list[dict[str, Any]]:
        told = self.cluster.kubectl("get", "events", "-n", self.namespace, "-o", "json")
        items: list[dict[str, Any]] = json.loads(told)["items"]
        return sorted(items, key=lambda event: event["metadata"]["name"])


@pytest.fixture
def ns(crds: Cluster, client: ApiClient, namespace: str) -> RecordedJob:
    return RecordedJob(crds, client, namespace)


def fail(history: JobHistory) -> None:
    history.opens("main")
    history.runs("script-0")
    history.runs("script-1", CAUSE)
    history.ends()
    history.fails("script-1", CAUSE)


WHOLE = [
    "JobStarted",
    "SessionOpened",
    "ScriptStarted",
    "ScriptSucceeded",
    "ScriptStarted",
    "ScriptFailed",
    "SessionEnded",
    "JobFailed",
]


def test_describe_shows_each_event_once_and_in_order(ns: RecordedJob) -> None:
    ns.history.at = 1000
    fail(ns.history)
    ns.post("one", "another", "one")

    described = ns.cluster.kubectl("describe", "ensojob", "shot", "-n", ns.namespace)

    table = described.split("Events:")[1].splitlines()
    assert [line.split()[1] for line in table[3:] if line.strip()] == WHOLE
    assert "1/2 script-0, attempt 1, 1.0 s; args frames=240" in described


def test_an_event_is_one_line_of_at_most_1024_bytes(ns: RecordedJob) -> None:
    fail(ns.history)
    ns.post("one")

    told = ns.events()

    assert [event["reason"] for event in told] == WHOLE
    assert [event["reason"] for event in told if event["type"] == "Warning"] == [
        "ScriptFailed",
        "JobFailed",
    ]
    assert all(
        "\n" not in event["message"] and len(event["message"].encode()) <= 1024 for event in told
    )
    assert all(
        event["message"] and event["involvedObject"]["uid"] == ns.ensojob.uid for event in told
    )
    line = told[-1]["message"]
    assert line.startswith("script-1 failed: MemoryError: cache exceeded 2 GiB; args a=é")
    assert line.endswith("é…")
    assert told[-1]["lastTimestamp"] == "1970-01-01T00:16:48Z"


def test_a_second_operator_that_saw_it_later_and_otherwise_doubles_nothing(ns: RecordedJob) -> None:
    """It numbers what it writes itself in another order, and at another time."""
    ns.history.opens("main")
    ns.history.runs("script-0")
    ns.history.ends()
    ns.post("one")
    other = JobHistory(ns.ensojob.job())
    other.at = 5000
    other.record(events.JobSuspended)
    other.record(events.JobUnsuspended)
    other.opens("main")
    other.runs("script-0")
    other.ends()

    ns.post("another", since=4, of=other.job)

    assert sorted(event["reason"] for event in ns.events()) == sorted(
        ["JobStarted", "SessionOpened", "ScriptStarted", "ScriptSucceeded", "SessionEnded"]
    )


def test_what_happens_again_is_told_again(ns: RecordedJob) -> None:
    fail(ns.history)
    for _ in range(2):
        ns.history.record(events.JobResumed, by="ann")
        ns.history.record(events.JobSuspended)
        ns.history.record(events.JobUnsuspended)
        ns.history.record(events.JobSuspended)
        fail_again(ns.history)
    ns.post("one")
    posted = [type(event).__name__ for event in ns.job.events[1:]]
    assert sorted(event["reason"] for event in ns.events()) == sorted(posted)
    ns.post("one", since=12)  # as after a restart: the list of new events lacks the earlier resumes
    assert len(ns.events()) == len(posted)


def fail_again(history: JobHistory) -> None:
    history.record(events.JobUnsuspended)
    history.opens("main")
    history.runs("script-0")
    history.runs("script-1", CAUSE)
    history.ends(CAUSE)
    history.fails("script-1", CAUSE)


def test_a_new_job_of_the_same_name_has_events_of_its_own(ns: RecordedJob) -> None:
    fail(ns.history)
    ns.post("one")
    ns.cluster.kubectl("delete", "ensojob", "shot", "-n", ns.namespace)
    with KubernetesJobUnitOfWork(ns.objects) as uow:
        ns.ensojob = EnsoJobObject(ns.objects.create(of_scripts({"args": {"frames": 1}}, {})))
        ns.history = JobHistory(uow.jobs.get("shot"))
    fail(ns.history)
    ns.post("one")
    assert len(ns.events()) == 2 * len(WHOLE)
