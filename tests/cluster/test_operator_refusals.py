"""Each kind of call that an operator makes, answered with each code of a server in trouble."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.story import EVENT_REASONS, NAMES, SOURCE
from tests.support.eventually import until
from tests.support.fault_proxy import Call, FaultProxy, Filter, answer
from tests.support.operators import Operator, Operators
from tests.support.resources import library_script, of_scripts

CODES = {
    409: "the object has been modified",
    429: "slow down",
    500: "etcdserver: request timed out",
}
KINDS = (
    "get namespaces",
    "list ensojobs",
    "watch ensojobs",
    "list ensoactions",
    "watch ensoactions",
    "get ensoscripts",
    "create events",
    "patch ensojobs/status",
    "delete ensojobs",
    "get ensojobs",
    "get ",
)
"""As RBAC has them; the last is kopf's look at what the server has, the one before is for a job
that a watch of metadata shows as deleted."""
TIMES = 2


def kind(call: Call) -> str:
    return f"{call.verb} {call.resource}"


def begin(ns: ClusterNamespace, note: Path) -> None:
    """Apply a job for which an operator makes every kind of call; it is deleted in the end."""
    ns.apply(library_script(source=SOURCE))
    reference = {"name": "open_scene"}
    scripts = [
        {"name": name, "scriptRef": reference, "args": {"note": str(note), "name": name}}
        for name in NAMES
    ]
    ns.apply(of_scripts(*scripts, ttlSecondsAfterFinished=0))


def ends_well(ns: ClusterNamespace, note: Path) -> None:
    until(lambda: ns.names() == [])
    assert note.read_text().split() == [*NAMES]
    assert [reason for reason, _ in ns.outcomes() if reason != "NotGoingOn"] == EVENT_REASONS


def test_these_are_all_kinds_of_calls(
    ns: ClusterNamespace, operators: Operators, tmp_path: Path
) -> None:
    with FaultProxy(operators.kubeconfig) as proxy:
        operators.start("--resync-seconds=1", kubeconfig=proxy.kubeconfig)
        begin(ns, tmp_path / "note")
        ends_well(ns, tmp_path / "note")
        until(lambda: {kind(call) for call in proxy.calls} >= {*KINDS})
        assert {kind(call) for call in proxy.calls} == {*KINDS}


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("chosen", KINDS)
def test_the_end_is_that_of_an_undisturbed_run(
    ns: ClusterNamespace, operators: Operators, tmp_path: Path, chosen: str, code: int
) -> None:
    calls = Filter(lambda call: kind(call) == chosen)
    with FaultProxy(operators.kubeconfig) as proxy:
        rule = proxy.add(calls, answer(code, CODES[code]), TIMES)
        begin(ns, tmp_path / "note")
        runs_on(operators, proxy)
        ends_well(ns, tmp_path / "note")
        until(lambda: rule.used == TIMES)
    assert operators.started[-1].process.is_alive()
    until(lambda: not operators.supervisors())


def runs_on(operators: Operators, proxy: FaultProxy) -> None:
    """Start an operator again where it cannot start, as a kubelet does."""
    for _ in range(TIMES + 1):
        operator = operators.start("--resync-seconds=1", kubeconfig=proxy.kubeconfig)
        if operates(operator):
            return
        assert operator.process.exitcode == 2
    pytest.fail("it does not start")


def operates(operator: Operator) -> bool:
    until(lambda: "served at" in operator.log_text or not operator.process.is_alive())
    return operator.process.is_alive()
