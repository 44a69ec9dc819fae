"""An operator whose API server is killed, forgets what was, or loses our resources altogether."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest
from dev.checkout import CHECKOUT
from dev.cluster.commands import install_crds
from dev.cluster.plane import Cluster
from kubernetes.config import new_client_from_config  # pyright: ignore[reportUnknownVariableType]

from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.compaction import compact
from tests.cluster.story import Story
from tests.cluster.watching import KOPF
from tests.support.eventually import until
from tests.support.fault_proxy import FaultProxy, on
from tests.support.operators import Operators, operators_of

RELISTS = KOPF & on("list", "ensojobs")


@dataclass(frozen=True)
class Stage:
    """A cluster for one test, and a job in it."""

    cluster: Cluster
    operators: Operators
    story: Story


@pytest.fixture
def stage(own_cluster: Cluster, tmp_path: Path) -> Generator[Stage]:
    install_crds(own_cluster.kubectl)
    kubeconfig = own_cluster.kubeconfig
    with (
        operators_of(kubeconfig, "default", tmp_path) as operators,
        new_client_from_config(str(kubeconfig)) as client,  # type: ignore[no-untyped-call]
    ):
        ns = ClusterNamespace(own_cluster, client, "default")
        yield Stage(own_cluster, operators, Story(ns, "shot", tmp_path / "note"))


def test_an_api_server_that_is_killed_and_restarted(stage: Stage) -> None:
    operator = stage.operators.ready()
    stage.story.begin()
    until(lambda: "SessionOpened" in dict(stage.story.ns.job_events()))
    stage.cluster.kill("kube-apiserver")
    stage.cluster.revive()
    stage.story.ends_well()
    assert operator.process.is_alive()


def test_a_history_that_was_compacted(stage: Stage, tmp_path: Path) -> None:
    later = Story(stage.story.ns, "later", tmp_path / "later")
    with FaultProxy(stage.cluster.kubeconfig) as proxy:
        operator = stage.operators.start("--resync-seconds=1", kubeconfig=proxy.kubeconfig)
        until(operator.is_ready)
        stage.story.begin()
        until(lambda: "SessionOpened" in dict(stage.story.ns.job_events()))
        proxy.away()
        later.begin()
        stage.cluster.kubectl("label", "ensojob/later", "studio/shot=010")
        stage.cluster.kill("kube-apiserver")
        compact(stage.cluster)
        stage.cluster.revive()
        before = proxy.count(RELISTS)
        proxy.back()
        stage.story.ends_well()
        later.ends_well()
        assert proxy.count(RELISTS) > before
    assert operator.process.is_alive()


def test_resources_that_are_removed_and_installed_again(stage: Stage) -> None:
    operator = stage.operators.ready("--resync-seconds=1")
    stage.story.begin()
    stage.story.ends_well()
    stage.cluster.kubectl("delete", "-f", str(CHECKOUT / "deploy" / "crds"))
    until(lambda: operator.http_get("/readyz")[0] == 503)
    until(lambda: "resources cannot be served" in operator.log_text)  # kopf looked once
    assert operator.process.is_alive()
    install_crds(stage.cluster.kubectl)
    until(operator.is_ready)
    stage.story.note.unlink()
    stage.cluster.kubectl("delete", "events", "--all")
    stage.story.begin()
    stage.story.ends_well()
