"""An operator makes no requests, and has no actor, for a job for which nothing is to do."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Generator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from kubernetes.client import ApiClient

from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.story import Story
from tests.support.eventually import until
from tests.support.fault_proxy import FaultProxy, Filter, answer, on, watches
from tests.support.operators import Operator, Operators, operators_of
from tests.support.resources import Document, of_scripts

SLEEPS = "import time\ndef main(seconds): time.sleep(seconds)"
WAITS = "import os, time\ndef main(go):\n    while not os.path.exists(go): time.sleep(0.01)"
ENDLESS: Document = {"source": SLEEPS, "args": {"seconds": 600}}
TWICE = [{"name": "token", "secretKeyRef": {"name": "tracker", "key": "token"}}]
ENDS: dict[str, tuple[str, Document]] = {
    "good": ("", of_scripts({"source": "def main(): pass"})),
    "raises": ("Exception", of_scripts({"source": "def main(): 1 / 0"})),
    "exits": ("ExitCode", of_scripts({"source": "def main(): raise SystemExit(3)"})),
    "crashes": ("Signal", of_scripts({"source": "import os\ndef main(): os.abort()"})),
    "slow": ("Timeout", of_scripts(ENDLESS | {"timeoutSeconds": 1})),
    "late": ("DeadlineExceeded", of_scripts(ENDLESS, activeDeadlineSeconds=1)),
    "lost": (
        "SessionLost",
        of_scripts({"source": "import os\ndef main(): os.kill(os.getppid(), 9)"}),
    ),
    "mute": (
        "InterpreterDidNotStart",
        of_scripts({}, sessions=[{"name": "main", "interpreter": ["/nowhere"]}]),
    ),
    "nowhere": ("ScriptNotFound", of_scripts({"scriptRef": {"name": "nowhere"}})),
    "contained": ("InvalidJob", of_scripts({"container": {"image": "a"}})),
    "twice": ("InvalidJob", of_scripts({"args": {"token": 1}, "argsFrom": TWICE})),
}
"""Jobs, and the reason for which each of them ends."""


@dataclass(frozen=True)
class Hall:
    """Two namespaces that one operator looks after, through a proxy."""

    ns: ClusterNamespace
    other: ClusterNamespace
    operators: Operators
    proxy: FaultProxy


@pytest.fixture
def hall(ns: ClusterNamespace, client: ApiClient, tmp_path: Path) -> Generator[Hall]:
    name = f"{ns.namespace}-other"
    ns.kubectl("create", "namespace", name)
    kubeconfig, both = ns.cluster.kubeconfig, f"{ns.namespace},{name}"
    with (
        FaultProxy(kubeconfig) as proxy,
        operators_of(proxy.kubeconfig, both, tmp_path) as operators,
    ):
        yield Hall(ns, ClusterNamespace(ns.cluster, client, name), operators, proxy)
    ns.kubectl("delete", "namespace", name, "--wait=false")


def named(name: str, document: Document) -> Document:
    return document | {"metadata": {"name": name}}


def waiting(go: Path, **spec: object) -> Document:
    """A job whose first script ends once `go` is there; the second one never does."""
    return of_scripts({"source": WAITS, "args": {"go": str(go)}}, ENDLESS, **spec)


def of(name: str) -> Filter:
    """Select what is asked about one job, its Events among it."""
    about = f'"name":"{name}"'.encode()
    return Filter(lambda call: call.name == name or about in call.body.replace(b" ", b""))


def write_status(ns: ClusterNamespace, name: str, status: Document) -> None:
    patch = json.dumps({"status": status})
    ns.kubectl("patch", f"ensojob/{name}", "--subresource=status", "--type=merge", "-p", patch)


def of_the_future(finished: str) -> Document:
    """Return a status that an operator of a later release wrote: its state is unknown here."""
    common = {"lastTransitionTime": "2026-01-01T00:00:00Z", "reason": "Dreaming", "message": ""}
    conditions = [
        {"type": "Succeeded", "status": "Unknown"} | common,
        {"type": "Finished", "status": finished} | common,
    ]
    return {"conditions": conditions, "observedGeneration": 7}


def live(operator: Operator) -> float:
    """Return how many jobs have not ended, as the operator counts them."""
    found = re.search(r"^enso_live_jobs (\S+)$", operator.http_get("/metrics")[1], re.MULTILINE)
    return float(found[1]) if found else -1


def is_told(ns: ClusterNamespace, name: str, reason: str) -> bool:
    return reason in dict(ns.job_events(name))


def began(ns: ClusterNamespace, name: str) -> bool:
    return is_told(ns, name, "ScriptStarted")


def is_in(ns: ClusterNamespace, name: str, state: str) -> bool:
    return ns.state(name) == state


def is_observed(ns: ClusterNamespace, name: str) -> bool:
    """Whether the operator has seen the job's second spec."""
    return bool(ns.get(name)["status"]["observedGeneration"] == 2)


def test_nothing_is_asked_for_ten_seconds_after_every_end(hall: Hall, tmp_path: Path) -> None:
    ns, proxy, go = hall.ns, hall.proxy, tmp_path / "go"
    for name, (_, document) in ENDS.items():
        ns.apply(named(name, document))
    ns.apply(named("never", of_scripts(ENDLESS, suspend=True)))
    for name, finished in (("future", "False"), ("future-ended", "True")):
        ns.apply(named(name, of_scripts(ENDLESS, suspend=True)))
        write_status(ns, name, of_the_future(finished))
    ns.apply(named("paused", waiting(go, activeDeadlineSeconds=3600)))
    cancelled = named("cancelled", of_scripts(ENDLESS))
    cancelled["metadata"]["finalizers"] = ["studio.example/keep"]
    ns.apply(cancelled)
    hall.other.apply(named("unseen", waiting(go)))
    ns.apply(named("deleted", of_scripts(ENDLESS)))

    operator = hall.operators.start("--resync-seconds=600")
    for name in ("paused", "cancelled", "deleted"):
        until(partial(began, ns, name))
    until(lambda: began(hall.other, "unseen"))
    ns.patch("paused", suspend=True)
    ns.kubectl("delete", "ensojob/cancelled", "ensojob/deleted", "--wait=false")
    proxy.silence(watches() & Filter(lambda call: call.namespace == hall.other.namespace))
    hall.other.kubectl("delete", "ensojob/unseen")
    go.touch()
    for name, (reason, _) in ENDS.items():
        ns.waits("Finished", name)
        assert ns.get(name)["status"].get("reason", "") == reason
    ns.waits("Finished", "cancelled")
    for name, state in (("paused", "Suspended"), ("cancelled", "Cancelled")):
        until(partial(is_in, ns, name, state))
    for name in ("future", "future-ended"):
        until(partial(is_told, ns, name, "NotGoingOn"))
    ns.patch("good", ttlSecondsAfterFinished=3600)
    ns.patch("raises", suspend=True)
    for name in ("good", "raises"):
        until(partial(is_observed, ns, name))
    until(lambda: not hall.operators.supervisors())
    at_rest = {"never", "paused", "future", "future-ended", "unseen"}
    until(lambda: live(operator) == len(at_rest))

    before = len(proxy.calls)
    clock = of_scripts({"source": SLEEPS, "args": {"seconds": 10}})
    ns.apply(named("clock", clock))
    ns.waits("Succeeded", "clock")
    asked = [call for call in proxy.calls[before:] if not (of("clock") | watches())(call)]
    assert [(call.verb, call.resource, call.name, call.body) for call in asked] == []
    until(lambda: live(operator) == len(at_rest))


def test_what_was_given_up_goes_on_when_it_can_be_read_again(hall: Hall, tmp_path: Path) -> None:
    story = Story(hall.ns, "shot", tmp_path / "note")
    story.begin()
    write_status(hall.ns, "shot", of_the_future("False"))
    hall.operators.start()
    until(lambda: "NotGoingOn" in dict(hall.ns.job_events()))
    write_status(hall.ns, "shot", {"conditions": None, "observedGeneration": -1})
    until(story.is_over)
    assert story.starts() == ["open", "do", "save"]


def test_what_is_changed_again_and_again_is_given_up_less_and_less_often(
    hall: Hall, tmp_path: Path
) -> None:
    ns, name = hall.ns, "shot"
    ns.apply(of_scripts(ENDLESS))
    write_status(ns, name, of_the_future("False"))
    began = time.monotonic()
    hall.operators.start()
    until(lambda: "NotGoingOn" in dict(ns.job_events()))
    for number in range(20):
        ns.kubectl("label", "--overwrite", "ensojob", name, f"studio/touched={number}")
    story = Story(ns, "other", tmp_path / "note")  # its end is after the earlier requests
    story.begin()
    story.ends_well()
    tries = math.log2(time.monotonic() - began + 2)  # after 2, 4, 8 … seconds
    assert hall.proxy.count(on("create", "events") & of(name)) <= 1 + tries


def test_a_deletion_that_was_refused_is_tried_again(hall: Hall) -> None:
    deletes = on("delete", "ensojobs")
    rule = hall.proxy.add(deletes, answer(403, "no right to delete"), times=1)
    operator = hall.operators.start()
    hall.ns.apply(of_scripts({"source": "def main(): pass"}, ttlSecondsAfterFinished=0))
    until(lambda: hall.ns.names() == [])
    assert (rule.used, hall.proxy.count(deletes)) == (1, 2)
    assert "cannot be deleted, though its time to live is over" in operator.log_text
    assert "no right to delete" in operator.log_text


def test_a_deletion_while_the_operator_recovers_from_a_fault_is_heard(
    hall: Hall, tmp_path: Path
) -> None:
    ns, operators = hall.ns, hall.operators
    ns.apply(waiting(tmp_path / "never"))
    operator = operators.start()
    until(lambda: ns.get()["status"].get("script"))  # nothing is left to be written
    (journal,) = operators.state.glob(f"*/{ns.namespace}/*/main-1/journal")
    kept = journal.rename(journal.with_name("kept"))
    journal.mkdir()  # a folder instead of a file: an unexpected error
    until(lambda: "it tries again in 8 s" in operator.log_text)
    journal.rmdir()
    kept.rename(journal)
    ns.kubectl("delete", "ensojob", "shot")
    until(lambda: not operators.supervisors() and not [*operators.state.glob("*/*/*")])
    assert live(operator) == 0
