"""Several operators that share a lease: one works; when it goes, in whatever way, another does."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from kubernetes.client import ApiClient

from enso_operator.kube.lease import Lease
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.story import Story
from tests.support.eventually import until
from tests.support.fault_proxy import FaultProxy, answer, on, watches
from tests.support.operators import Operator, Operators

WAITING = """
import os, time
def main(note, name):
    with open(note, "a") as file:
        file.write(name + "\\n")
    while name == "do" and not os.path.exists("GATE"):
        time.sleep(0.05)
"""


@pytest.fixture
def lease(client: ApiClient, namespace: str) -> Lease:
    return Lease(client, namespace, "enso-operator")


def candidate(operators: Operators, kubeconfig: Path | None = None) -> Operator:
    """Start an operator that leads or stands by, and wait until it is ready for either."""
    flags = ("--leader-elect", f"--lease-namespace={operators.namespace}")
    operator = operators.start(*flags, kubeconfig=kubeconfig)
    until(operator.is_ready)
    return operator


def leads(operator: Operator) -> bool:
    return "\nenso_leader 1.0" in operator.http_get("/metrics")[1]


def holder(lease: Lease) -> str | None:
    document = lease.read()
    assert document
    held: str | None = document["spec"].get("holderIdentity")
    return held


def begun(ns: ClusterNamespace, tmp_path: Path, name: str = "shot") -> Story:
    story = Story(ns, name, tmp_path / name)
    story.begin()
    return story


def held_up(ns: ClusterNamespace, gate: Path) -> Story:
    """Begin a job whose script `do` runs until there is the file `gate`."""
    note = gate.with_name("note")
    story = Story(ns, "shot", note, WAITING.replace("GATE", str(gate)))
    story.begin()
    until(lambda: note.exists() and "do" in note.read_text())
    return story


def test_one_works_and_the_other_asks_for_nothing_but_the_lease(
    ns: ClusterNamespace, operators: Operators, tmp_path: Path
) -> None:
    leader = candidate(operators)
    with FaultProxy(operators.kubeconfig) as proxy:
        standby = candidate(operators, proxy.kubeconfig)
        mark, before = ns.cluster.audit.mark(), len(proxy.calls)
        begun(ns, tmp_path).ends_well()
        until(lambda: len(proxy.calls) > before + 2)
        assert (leads(leader), leads(standby)) == (True, False)
        asked = {(call.verb, call.resource) for call in proxy.calls[before:]}
        assert asked == {("get", "leases")}
        assert proxy.count(watches()) == 0
        assert not [call for call in proxy.calls if call.is_write]
    # Only the holder of the lease has written to it.
    written = [request for request in ns.cluster.audit.since(mark) if request.resource == "leases"]
    ours = [
        request for request in written if request.namespace == ns.namespace and request.is_write
    ]
    assert {(request.verb, request.code) for request in ours} <= {("update", 200)}


def test_one_that_is_stopped_hands_over_at_once(
    ns: ClusterNamespace, operators: Operators, lease: Lease, tmp_path: Path
) -> None:
    leader, standby = candidate(operators), candidate(operators)
    story = held_up(ns, gate := tmp_path / "gate")
    held = holder(lease)
    assert leader.stop() == 0
    assert "was not given back" not in leader.log_text
    assert holder(lease) != held, "it is free, or taken already: nobody waits until it is over"
    until(lambda: leads(standby))
    gate.touch()
    story.ends_well()
    document = lease.read()
    assert document
    assert document["spec"]["leaseTransitions"] == 2
    assert standby.stop() == 0
    assert holder(lease) is None


def test_one_that_is_killed_is_replaced(
    ns: ClusterNamespace, operators: Operators, tmp_path: Path
) -> None:
    leader, standby = candidate(operators), candidate(operators)
    story = held_up(ns, gate := tmp_path / "gate")
    leader.kill()
    gate.touch()
    until(lambda: leads(standby))
    story.ends_well()


def test_one_that_falls_asleep_and_wakes_starts_nothing_twice(
    ns: ClusterNamespace, operators: Operators, tmp_path: Path
) -> None:
    leader, standby = candidate(operators), candidate(operators)
    story = held_up(ns, gate := tmp_path / "gate")
    leader.send(signal.SIGSTOP)
    until(lambda: leads(standby))
    leader.send(signal.SIGCONT)
    gate.touch()
    story.ends_well()
    until(lambda: leader.is_ready() and not leads(leader))
    assert leads(standby)
    begun(ns, tmp_path, "another").ends_well()
    assert standby.stop() == 0
    until(lambda: leads(leader))  # it was a standby again, and leads again
    begun(ns, tmp_path, "a-third").ends_well()
    until(lambda: not operators.supervisors())


def test_one_that_loses_its_lease_for_a_while_works_again(
    ns: ClusterNamespace, operators: Operators, tmp_path: Path
) -> None:
    with FaultProxy(operators.kubeconfig) as proxy:
        only = candidate(operators, proxy.kubeconfig)
        story = held_up(ns, gate := tmp_path / "gate")
        away = proxy.add(on("update", "leases"), answer(503, "no writes now"))
        until(lambda: not leads(only))
        assert only.http_get("/readyz")[0] == 503
        assert only.http_get("/healthz")[0] == 200
        proxy.remove(away)
        gate.touch()
        story.ends_well()
        assert leads(only)
        until(only.is_ready)
