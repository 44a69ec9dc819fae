"""What is promised of a job that has ended holds, though an operator watches only its metadata."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import yaml
from dev.checkout import CHECKOUT
from dev.cluster.commands import install_crds
from dev.cluster.plane import Cluster
from kubernetes.config import new_client_from_config  # pyright: ignore[reportUnknownVariableType]

from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.watching import KOPF, operator_that_watches
from tests.support.eventually import until
from tests.support.fault_proxy import FaultProxy, on, writes
from tests.support.operators import Operators, operators_of
from tests.support.resources import Document, action, of_scripts

PASSES = {"source": "def main(): pass"}
FAILS_ONCE = """
import pathlib
def main(mark):
    mark = pathlib.Path(mark)
    if not mark.exists():
        mark.touch()
        raise ValueError("no")
"""


def observed(ns: ClusterNamespace) -> int:
    return int(ns.get()["status"]["observedGeneration"])


def fails_once(tmp_path: Path) -> Document:
    return of_scripts({"source": FAILS_ONCE, "args": {"mark": str(tmp_path / "mark")}})


def test_it_is_not_listed_with_those_that_are_watched_and_a_restart_writes_nothing(
    ns: ClusterNamespace, operators: Operators
) -> None:
    operator = operators.start()
    ns.apply(of_scripts(PASSES))
    ns.waits("Finished")
    operator.stop()
    with FaultProxy(operators.kubeconfig) as proxy:
        operator = operator_that_watches(operators, proxy, "--resync-seconds=600")
        listing = KOPF & on("list", "ensojobs")
        asked = [call.path for call in proxy.calls if listing(call)]
        assert asked
        assert all("status.completionTime" in path for path in asked)
        operator.stop()
        assert proxy.count(writes()) == 0


def change_when_ended(
    ns: ClusterNamespace, operators: Operators, *, restarts: bool, **spec: object
) -> None:
    """Change the spec of a job that has ended; with `restarts` while there is no operator."""
    operator = operators.ready("--resync-seconds=600")
    ns.apply(of_scripts(PASSES))
    ns.waits("Finished")
    if restarts:
        operator.kill()
    ns.patch("shot", **spec)
    if restarts:
        operators.ready("--resync-seconds=600")


@pytest.mark.parametrize("restarts", [False, True], ids=["the operator lives", "it was away"])
def test_a_change_of_its_spec_is_observed(
    ns: ClusterNamespace, operators: Operators, *, restarts: bool
) -> None:
    change_when_ended(ns, operators, restarts=restarts, suspend=True)
    until(lambda: observed(ns) == 2)
    assert ns.state() == "Succeeded"


@pytest.mark.parametrize("restarts", [False, True], ids=["the operator lives", "it was away"])
def test_its_time_to_live_is_heard_of(
    ns: ClusterNamespace, operators: Operators, *, restarts: bool
) -> None:
    change_when_ended(ns, operators, restarts=restarts, ttlSecondsAfterFinished=0)
    until(lambda: ns.names() == [])


def test_it_is_resumed_and_watched_as_a_whole_again(
    ns: ClusterNamespace, operators: Operators, tmp_path: Path
) -> None:
    operator = operators.ready("--resync-seconds=600")
    ns.apply(fails_once(tmp_path))
    ns.waits("Finished")
    assert ns.state() == "Failed"
    operator.kill()
    ns.apply(action("resume"))
    operators.ready("--resync-seconds=600")
    until(lambda: ns.state() == "Succeeded")
    ns.patch(suspend=True)
    until(lambda: observed(ns) == ns.get()["metadata"]["generation"])


def test_what_is_left_of_its_sessions_goes_with_it(
    ns: ClusterNamespace, operators: Operators
) -> None:
    operators.ready("--resync-seconds=600")
    ns.apply(of_scripts(PASSES))
    ns.waits("Finished")
    assert operators.folders()
    ns.kubectl("delete", "ensojob", "shot")
    until(lambda: not operators.folders())


def test_what_happens_to_it_while_the_api_server_is_away_is_heard_of(
    ns: ClusterNamespace, operators: Operators
) -> None:
    with FaultProxy(operators.kubeconfig) as proxy:
        operator_that_watches(operators, proxy, "--resync-seconds=600")
        for name in ("changed", "deleted"):
            ns.apply(of_scripts(PASSES) | {"metadata": {"name": name}})
            ns.waits("Finished", name)
        proxy.away()
        ns.patch("changed", suspend=True)
        ns.kubectl("delete", "ensojob", "deleted")
        proxy.back()
        until(lambda: ns.get("changed")["status"]["observedGeneration"] == 2)
        until(lambda: len(operators.folders()) == 1)


@pytest.fixture
def unselecting(own_cluster: Cluster) -> Generator[ClusterNamespace]:
    """A cluster with a CRD of a release before, which selects by no field of a status."""
    install_crds(own_cluster.kubectl)
    crd: dict[str, Any] = yaml.safe_load(
        (CHECKOUT / "deploy" / "crds" / "ensojobs.yaml").read_text()
    )
    crd["spec"]["versions"][0]["selectableFields"] = [{"jsonPath": ".spec.suspend"}]
    own_cluster.kubectl("replace", "-f", "-", stdin=json.dumps(crd))
    with new_client_from_config(str(own_cluster.kubeconfig)) as client:  # type: ignore[no-untyped-call]
        ns = ClusterNamespace(own_cluster, client, "default")
        until(lambda: "not supported" in refusal(ns))
        yield ns


def refusal(ns: ClusterNamespace) -> str:
    try:
        next(ns.objects.each(fields="status.completionTime="), None)
    except Exception as error:  # noqa: BLE001  # its words are looked at
        return str(error)
    return ""


def test_a_crd_of_a_release_before_has_all_jobs_watched(
    unselecting: ClusterNamespace, tmp_path: Path
) -> None:
    ns = unselecting
    with operators_of(ns.cluster.kubeconfig, ns.namespace, tmp_path) as operators:
        operator = operators.ready("--resync-seconds=600")
        until(lambda: "jobs that have ended are watched, too" in operator.log_text)
        ns.apply(of_scripts(PASSES))
        ns.waits("Finished")
        ns.patch(suspend=True)
        until(lambda: observed(ns) == 2)
        ns.kubectl("delete", "ensojob", "shot")
        until(lambda: not operators.folders())
