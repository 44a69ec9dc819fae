"""What an operator asks of an API server: for one job, for a long one, for very many."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
from kubernetes.client import ApiClient

from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.story import EVENT_REASONS, NAMES, Story
from tests.support.eventually import until
from tests.support.fault_proxy import FaultProxy, on, writes
from tests.support.finished_jobs import copy
from tests.support.operators import Operators
from tests.support.resources import Document, of_scripts

PASSES, SLEEPS = "def main(): pass", "import time\ndef main():\n    time.sleep(600)"
FINISHED, LIVE = 2000, 100
MAYBE_TOLD = ("ScriptStarted", "NotGoingOn")
"""On a busy machine: starts of scripts that run for a while, and calls that fail for long."""
STATUS, EVENTS = on("patch", "ensojobs/status"), on("create", "events")


def passing(**spec: object) -> Document:
    return of_scripts(*[{"name": name, "source": PASSES} for name in NAMES], **spec)


def written(ns: ClusterNamespace, mark: int) -> Counter[str]:
    """Return the writes in the namespace since `mark`, from the audit log."""
    return Counter(
        f"{request.verb} {request.resource}" for request in ns.requests(mark) if request.is_write
    )


def test_a_job_of_no_ops_costs_few_writes_and_its_events(
    ns: ClusterNamespace, operators: Operators
) -> None:
    operators.ready()
    mark = ns.cluster.audit.mark()
    ns.apply(passing())
    ns.waits("Finished")
    asked = written(ns, mark)
    del asked["create ensojobs"]  # the user's own
    # Where it takes long, on a busy machine, its progress is written, too.
    assert asked.pop("patch ensojobs/status") <= 2 + max(1, seconds(ns))
    assert asked == {"create events": len(EVENT_REASONS) + ns.starts_told()}


def test_progress_is_written_once_a_second_at_most(
    ns: ClusterNamespace, operators: Operators
) -> None:
    """It looks at what was written for as long as the job took by its own clock."""
    naps = "import time\ndef main():\n    time.sleep(0.05)"
    count = 60
    ns.apply(
        of_scripts(
            *[{"name": f"nap-{i}", "source": naps, "timeoutSeconds": 60 + i} for i in range(count)],
            activeDeadlineSeconds=600,
        )
    )
    with FaultProxy(operators.kubeconfig) as proxy:
        operators.start(kubeconfig=proxy.kubeconfig)
        ns.waits("Succeeded")
        patches = proxy.count(STATUS)
        events = proxy.count(EVENTS)
    opening_and_ending = 2
    assert opening_and_ending < patches <= opening_and_ending + seconds(ns)
    assert events == count + len(EVENT_REASONS) - len(NAMES) + ns.starts_told()


def seconds(ns: ClusterNamespace) -> int:
    """Return the job's duration by its status, whose times are whole seconds."""
    status = ns.get()["status"]
    begin, end = (datetime.fromisoformat(status[name]) for name in ("startTime", "completionTime"))
    return int((end - begin).total_seconds())


@pytest.mark.timeout(600)
def test_a_restart_over_thousands_of_settled_jobs_writes_nothing(
    ns: ClusterNamespace, client: ApiClient, operators: Operators
) -> None:
    fails = {"name": "fails", "source": "def main(): 1 / 0"}
    ns.apply(passing() | {"metadata": {"name": "good"}})
    ns.apply(of_scripts(fails) | {"metadata": {"name": "bad"}})
    ns.apply(passing(suspend=True) | {"metadata": {"name": "later"}})
    operators.start()
    for name in ("good", "bad"):
        ns.waits("Finished", name)
    until(lambda: ns.state("later") == "Suspended")
    operators.started[0].stop()
    copy(client, ns.get("good"), FINISHED // 2)
    copy(client, ns.get("bad"), FINISHED // 2)
    copy(client, ns.get("later"), 10)

    with FaultProxy(operators.kubeconfig) as proxy:
        operator = operators.start("--resync-seconds=1", kubeconfig=proxy.kubeconfig)
        until(operator.is_ready, 120)
        until(lambda: "enso_live_jobs 11.0" in operator.http_get("/metrics")[1])
        lists = proxy.count(on("list", "ensojobs"))
        until(lambda: proxy.count(on("list", "ensojobs")) > lists + 10)  # two more sweeps
        assert operator.stop() == 0
        assert proxy.count(writes()) == 0
        # No job was read alone: one request for each job would be slow with many.
        assert proxy.count(on("get", "ensojobs")) == 0


@pytest.mark.timeout(900)
def test_a_hundred_at_once_though_one_never_ends_and_one_is_garbage(
    ns: ClusterNamespace, operators: Operators, tmp_path: Path
) -> None:
    operators.ready()
    stories = [Story(ns, f"shot-{i}", tmp_path / f"note-{i}") for i in range(LIVE - 2)]
    documents = [story.manifest() for story in stories]
    documents[50:50] = [
        of_scripts({"source": SLEEPS}) | {"metadata": {"name": "endless"}},
        of_scripts({"source": "\x00)]} def \ufffd"}) | {"metadata": {"name": "garbage"}},
    ]
    for few in batched(documents, 20):  # kubectl asks for one after the other
        ns.apply({"apiVersion": "v1", "kind": "List", "items": few})
    until(lambda: ns.states()["Succeeded"] == len(stories), 600)
    until(lambda: ns.states() == {"Succeeded": len(stories), "Failed": 1, "Running": 1})
    assert ns.columns("garbage")[1:3] == ["Failed", "0/1"]
    assert ns.columns("endless")[1:3] == ["Running", "0/1"]
    assert all(story.note.read_text().split() == [*NAMES] for story in stories)
    told = ns.events_by_job()
    for story in stories:
        reasons = [reason for reason, _ in told[story.name] if reason not in MAYBE_TOLD]
        assert reasons == EVENT_REASONS


def batched(documents: list[Document], count: int) -> list[list[Document]]:
    return [documents[i : i + count] for i in range(0, len(documents), count)]
