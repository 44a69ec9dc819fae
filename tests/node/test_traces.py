"""`make cluster` twice is fine, and after `make cluster-down` the machine is as it was before."""

import secrets
from collections.abc import Generator

import pytest
from dev.checkout import STATE, Failed
from dev.cluster import sharing
from dev.cluster.plane import Cluster
from dev.host import node_lock, pod_processes
from dev.node import node
from dev.node.images import PYTHON
from dev.node.node import Node

from tests.node.traces import traces
from tests.support.eventually import until

pytestmark = pytest.mark.usefixtures("no_node")

COMPONENTS = ("containerd", "kubelet", "port-forward", "kube-apiserver", "kube-scheduler")
FOREVER = ("sleep", "1000")
PATIENCE = 240.0


@pytest.fixture
def own_node() -> Generator[Node]:
    """A node for one test, with a Pod that never ends by itself."""
    with sharing.claimed(f"node-{secrets.token_hex(4)}") as name:
        started = node.start(name, patience=PATIENCE)
        start_pod(started)
        yield started


@pytest.fixture
def before() -> set[str]:
    """What was there before the node, without what a run that was killed has left."""
    nobody = Cluster("enso-nobody").folder
    with node_lock.taken(nobody, patience=PATIENCE):
        pass
    with node_lock.released(nobody):
        pass
    return traces()


def start_pod(running: Node) -> None:
    until(lambda: "default" in running.kubectl("get", "serviceaccounts", "-o", "name"))
    running.kubectl(
        "run", "stays", f"--image={PYTHON}", "--image-pull-policy=Never", "--", *FOREVER
    )
    running.kubectl("wait", "--for=condition=Ready", "pod/stays", "--timeout=150s")


def test_twice_changes_nothing_and_down_leaves_nothing(
    before: set[str], own_node: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    pids = {name: own_node.pid(name) for name in COMPONENTS}

    node.start(own_node.cluster.name)

    assert {name: own_node.pid(name) for name in COMPONENTS} == pids
    assert "ready already" in capsys.readouterr().err

    own_node.cluster.stop()

    assert traces() - before == set()
    assert before - traces() == set()


def test_what_was_killed_is_repaired_and_down_leaves_nothing(
    before: set[str], own_node: Node
) -> None:
    for name in COMPONENTS:
        own_node.kill(name)

    node.start(own_node.cluster.name)

    told = own_node.kubectl("get", "pod", "stays", "-o", "jsonpath={.status.phase}")
    assert told == "Running"

    for name in COMPONENTS:  # from here on nobody removes what the node has made
        own_node.kill(name)
    own_node.cluster.stop()

    assert traces() - before == set()


def test_another_clusters_node_is_left_alone(own_node: Node) -> None:
    shims_before = pod_processes.of_containers()
    developer = Cluster("enso-developer")

    with pytest.raises(Failed, match=r"A test run in .* has this machine's node"):
        node.start(developer.name)

    assert not developer.folder.exists()
    assert pod_processes.of_containers() == shims_before
    assert node_lock.owner() == own_node.cluster.folder


def test_the_node_of_a_run_that_was_killed_is_cleared_away(before: set[str]) -> None:
    name = f"test-node-{secrets.token_hex(4)}"  # nobody holds its lock
    left = node.start(name, patience=PATIENCE)
    start_pod(left)
    (STATE / f"{name}.users").touch()

    with sharing.claimed(f"node-{secrets.token_hex(4)}") as another:
        fresh = node.start(another)
        assert fresh.kubectl("get", "pods", "-o", "name") == ""

    assert not left.cluster.folder.exists()
    assert traces() - before == set()
