"""A spec that changes although none may: under an older CRD, and while CRDs are upgraded."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import yaml
from dev.checkout import CHECKOUT
from dev.cluster.plane import Cluster
from kubernetes.config import new_client_from_config  # pyright: ignore[reportUnknownVariableType]

from tests.cluster.cluster_namespace import ClusterNamespace
from tests.support.eventually import until
from tests.support.operators import Operators, operators_of
from tests.support.resources import Document, of_scripts

CRD = CHECKOUT / "deploy" / "crds" / "ensojobs.yaml"
SCRIPTS = CRD.with_name("ensoscripts.yaml")
ARGS: Document = {"frames": 1, "scene": {"path": ["a", None]}}


def older_crd() -> str:
    """The CRD of a release before: it compares arguments badly, and fills in a default."""
    crd: dict[str, Any] = yaml.safe_load(CRD.read_text())
    (version,) = crd["spec"]["versions"]
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    script = spec["scripts"]["items"]
    script.pop("anyOf")
    args = script["properties"]["args"]
    args.pop("additionalProperties")
    args["x-kubernetes-preserve-unknown-fields"] = True
    spec["sessions"]["items"]["properties"]["startTimeoutSeconds"]["default"] = 300
    return json.dumps(crd)


@pytest.fixture
def old_ns(own_cluster: Cluster) -> Generator[ClusterNamespace]:
    """A cluster with the older CRD."""
    own_cluster.kubectl("apply", "--server-side", "-f", "-", stdin=older_crd())
    own_cluster.kubectl("apply", "--server-side", "-f", str(SCRIPTS))
    crds = ("crd/ensojobs.enso.dev", "crd/ensoscripts.enso.dev")
    own_cluster.kubectl("wait", "--for=condition=Established", *crds, "--timeout=120s")
    with new_client_from_config(str(own_cluster.kubeconfig)) as client:  # type: ignore[no-untyped-call]
        yield ClusterNamespace(own_cluster, client, "default")


@pytest.fixture
def old_operators(old_ns: ClusterNamespace, tmp_path: Path) -> Generator[Operators]:
    with operators_of(old_ns.cluster.kubeconfig, old_ns.namespace, tmp_path) as started:
        yield started


def waits(go: Path, **args: object) -> Document:
    source = (
        "import pathlib, time\n"
        "def main(**args):\n"
        f"    while not pathlib.Path({str(go)!r}).exists(): time.sleep(0.01)\n"
        "    raise ValueError('no')"
    )
    return of_scripts({"name": "do", "source": source, "args": args}, {"name": "next"})


@pytest.mark.parametrize("restarts", [False, True], ids=["the operator lives", "it was away"])
def test_a_change_that_the_api_server_lets_through_stops_the_job(
    old_ns: ClusterNamespace, old_operators: Operators, tmp_path: Path, *, restarts: bool
) -> None:
    old_ns.apply(waits(tmp_path / "go", frames=1))
    operator = old_operators.start()
    until(lambda: old_ns.columns()[:4] == ["shot", "Running", "0/2", "do"])
    until(lambda: "ScriptStarted" in dict(old_ns.job_events()))
    if restarts:
        operator.kill()

    old_ns.apply(waits(tmp_path / "go", evil=666))
    if restarts:
        old_operators.start()
    old_ns.waits("Finished")

    status = old_ns.get()["status"]
    assert old_ns.columns()[1:3] == ["Failed", "0/2"]
    assert status["reason"] == "InvalidJob"
    assert "its spec was changed" in "".join(status["why"])
    until(lambda: not old_operators.supervisors())
    told = old_ns.job_events()
    assert ("ScriptStarted", "1/2 do, attempt 1; args frames=1") in told
    assert "evil" not in json.dumps(status)
    assert "evil" not in str(told)


def test_a_job_of_an_older_crd_goes_on_under_a_newer_one(
    old_ns: ClusterNamespace, old_operators: Operators
) -> None:
    source = f"def main(**args):\n    assert args == {ARGS!r}, args"
    job = of_scripts({"source": source, "args": ARGS}, sessions=[{"name": "a"}], suspend=True)
    old_ns.apply(job)
    old_operators.start()
    until(lambda: old_ns.state() == "Suspended")
    digest = old_ns.get()["status"]["ledger"]["specDigest"]
    assert old_ns.get()["spec"]["sessions"][0]["startTimeoutSeconds"] == 300

    def tried() -> Document:
        another = job | {"metadata": {"name": "another"}}
        shown = old_ns.kubectl(
            *("create", "--dry-run=server", "-o", "json", "-f", "-"), stdin=json.dumps(another)
        )
        session: Document = json.loads(shown)["spec"]["sessions"][0]
        return session

    old_ns.kubectl("apply", "--server-side", "-f", str(CRD))
    until(lambda: "startTimeoutSeconds" not in tried())
    old_ns.patch(suspend=False)

    old_ns.waits("Succeeded")
    stored = old_ns.get()
    assert stored["spec"]["scripts"][0]["args"] == ARGS
    assert stored["status"]["ledger"]["specDigest"] == digest
