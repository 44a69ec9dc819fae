"""Many jobs at once: on the one real node, and on simulated ones, which only show their logs."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from dev.node.node import Node

from job_execution_framework.domain import events
from job_execution_framework.service_layer.records import End, to_line
from tests.node.jobs.pod_namespace import Document, PodNamespace
from tests.node.simulated import KEY, TOLERATION, VALUE, Log, simulate
from tests.support.eventually import until
from tests.support.operators import Operator
from tests.support.resources import job
from tests.support.running import cpu_seconds

REAL, SIMULATED, NODES = 30, 500, 5
AT_ONCE = 100
"""Jobs in one kubectl."""
DEADLINE_SECONDS = 280.0
SCRIPTS: list[Document] = [
    {"name": "open", "source": "def main(): print('opened')"},
    {"name": "save", "source": "def main(): print('saved')"},
]
SUCCEEDED = [("open", "Succeeded", 1), ("save", "Succeeded", 1)]
TOLD = {
    "JobAdded": 1,
    "JobStarted": 1,
    "SessionOpened": 1,
    "ScriptSucceeded": 2,
    "SessionEnded": 1,
    "JobSucceeded": 1,
}
WAITS_LONG = "NotGoingOn"
MOST_WRITES = 16
"""Of the operator for one job: its nine Events at most, and one where it waits long; six more."""
MOST_LOOKS = 20
"""Pods, logs, and the Events of a Pod that is slow to begin: the more of them, and the rarer each,
the longer many jobs wait for one node."""
LOOKS = ("get", "list", "watch")
REFUSED = 400
"""From this status code on a request was in vain."""
FOREIGN = ("kubectl", "kube-", "kubelet", "kwok")
EVENTS = sum(TOLD.values())


def jobs(count: int, **spec: object) -> list[Document]:
    return [job({"scripts": SCRIPTS, **spec}, f"shot-{number:03}") for number in range(count)]


def apply(ns: PodNamespace, documents: list[Document]) -> None:
    for first in range(0, len(documents), AT_ONCE):
        some = documents[first : first + AT_ONCE]
        ns.create({"apiVersion": "v1", "kind": "List", "items": some})


def statuses(ns: PodNamespace) -> dict[str, Document]:
    listed: list[Document] = json.loads(ns.kubectl("get", "ensojobs", "-o", "json"))["items"]
    return {document["metadata"]["name"]: document["status"] for document in listed}


def rows(status: Document) -> list[tuple[str, str, int]]:
    return [(row["name"], row["state"], row.get("attempt", 0)) for row in status["scripts"]]


def told(ns: PodNamespace, name: str) -> Counter[str]:
    return Counter(reason for reason, _ in ns.outcomes(name) if reason != WAITS_LONG)


def waits_told(ns: PodNamespace) -> int:
    """Return how many Events there are of jobs that wait long, as those of a busy machine do."""
    every = ns.events_by_job().values()
    return sum(reason == WAITS_LONG for told in every for reason, _ in told)


@dataclass
class Usage:
    """CPU and memory of an operator; printed only, as machines differ."""

    operator: Operator
    record: Callable[[str, object], None]
    began: float = field(default_factory=time.monotonic)

    def tell(self, when: str) -> None:
        cpu = cpu_seconds(self.operator.pid)
        memory = psutil.Process(self.operator.pid).memory_info().rss
        took = time.monotonic() - self.began
        sentence = f"{took:.0f} s, {memory / 2**20:.0f} MiB, {cpu:.1f} s of CPU"
        self.record(f"the operator, {when}", sentence)
        sys.stdout.write(f"the operator, {when}: {sentence}\n")


@pytest.fixture
def usage(operator: Operator, record_property: Callable[[str, object], None]) -> Usage:
    used = Usage(operator, record_property)
    used.tell("idle")
    return used


def requests(ns: PodNamespace, mark: int) -> Counter[tuple[str, str]]:
    """Count what the operator got from the API server in this namespace, its vain tries aside."""
    asked = [request for request in ns.node.audit.since(mark) if request.namespace == ns.namespace]
    ours = [
        request
        for request in asked
        if not request.user_agent.startswith(FOREIGN) and request.code < REFUSED
    ]
    return Counter((request.verb, request.resource) for request in ours)


def assert_few(asked: Counter[tuple[str, str]], count: int) -> None:
    """Assert that `count` jobs cost no more requests than allowed for each."""
    looks = sum(times for (verb, _), times in asked.items() if verb in LOOKS)
    assert looks <= MOST_LOOKS * count
    assert asked.total() - looks <= MOST_WRITES * count


def test_many_jobs_at_once_on_one_node(ns: PodNamespace, usage: Usage) -> None:
    mark = ns.node.audit.mark()

    apply(ns, jobs(REAL))
    until(lambda: ns.states() == {"Succeeded": REAL}, DEADLINE_SECONDS)

    usage.tell(f"after {REAL} jobs on one node")
    ended = statuses(ns)
    assert {name: rows(status) for name, status in ended.items()} == dict.fromkeys(ended, SUCCEEDED)
    assert len(ended) == len(ns.pods()) == REAL
    assert [told(ns, f"shot-{number:03}") for number in (0, 14, 29)] == [TOLD] * 3
    asked = requests(ns, mark)
    assert asked["create", "configmaps"] == asked["create", "pods"] == REAL
    # A job whose Pod waits long for its turn says so, too.
    starts = ns.starts_told()
    assert REAL * EVENTS <= asked["create", "events"] - starts <= REAL * (EVENTS + 1)
    assert asked["patch", "pods"] == REAL  # each is released once
    assert_few(asked, REAL)


@dataclass
class Records:
    """The one log that every simulated session has: theirs are the same scripts."""

    log: Log
    seq: int = 0

    def begin(self) -> None:
        self._tell(events.ScriptStarted, "open", 1)

    def end(self) -> None:
        self._tell(events.ScriptSucceeded, "open", 1)
        self._tell(events.ScriptStarted, "save", 2)
        self._tell(events.ScriptSucceeded, "save", 2)
        self.log.write(to_line(End()).decode().rstrip())

    def beat(self) -> None:
        self.log.write("")

    def _tell(self, kind: type[events.ScriptEvent], script: str, number: int) -> None:
        self.seq += 1
        event = kind(
            at=time.time(),
            origin="main-1",
            seq=self.seq,
            script=script,
            number=number,
            of=len(SCRIPTS),
            attempt=1,
            parameters={},
        )
        self.log.write(to_line(event).decode().rstrip())


@pytest.fixture
def records(node: Node, ns: PodNamespace, tmp_path: Path) -> Generator[Records]:
    """Simulated nodes, all of whose sessions have this log."""
    log = Log(tmp_path, "records")
    log.describe()
    names = simulate(node, NODES, resources=(log.resource,))
    yield Records(log)
    ns.kubectl("delete", "ensojobs,pods", "--all", "--force", "--grace-period=0", "--wait=false")
    node.kubectl("delete", "node", *names)
    node.kill("kwok")


def test_five_hundred_live_jobs_on_simulated_nodes(
    ns: PodNamespace, usage: Usage, records: Records
) -> None:
    mark = ns.node.audit.mark()
    records.begin()
    session = {"name": "main", "nodeSelector": {KEY: VALUE}, "tolerations": [TOLERATION]}

    apply(ns, jobs(SIMULATED, sessions=[session]))
    usage.tell(f"when {SIMULATED} jobs are applied")

    def are(state: dict[str, int]) -> bool:
        records.beat()
        return ns.states() == state

    def all_run() -> bool:
        records.beat()
        shown = ns.kubectl("get", "ensojobs", "--no-headers").splitlines()
        return sum(line.split()[1:4] == ["Running", "0/2", "open"] for line in shown) == SIMULATED

    until(all_run, DEADLINE_SECONDS)
    usage.tell(f"while {SIMULATED} jobs run")
    records.end()
    until(lambda: are({"Succeeded": SIMULATED}), DEADLINE_SECONDS)

    usage.tell(f"after {SIMULATED} jobs on simulated nodes")
    ended = statuses(ns)
    assert {name: rows(status) for name, status in ended.items()} == dict.fromkeys(ended, SUCCEEDED)
    assert len(ended) == SIMULATED
    assert [told(ns, f"shot-{number:03}") for number in (0, 250, 499)] == [TOLD] * 3
    asked = requests(ns, mark)
    assert asked["create", "configmaps"] == asked["create", "pods"] == SIMULATED
    waits = waits_told(ns)
    assert asked["create", "events"] == SIMULATED * EVENTS + ns.starts_told() + waits
    assert asked["patch", "pods"] == SIMULATED
    assert asked["patch", "ensojobs/status"] <= 3 * SIMULATED + 2 * waits
    assert_few(asked, SIMULATED)
