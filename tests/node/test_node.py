"""The node itself, which the other tests of this folder use."""

import subprocess

import pytest
from dev.host.places import API_PORT, API_SERVICE, GATEWAY
from dev.node.node import Node
from dev.node.operator_image import NAME as OPERATOR

from tests.cluster.listening import listening
from tests.node.pods import create, manifest, phase, pod, reaches, says
from tests.node.simulated import TOLERATION, simulate
from tests.support.eventually import until

UNTIL_TOLD = "import signal; signal.signal(15, lambda *_: exit()); print('up', flush=True); \
signal.pause()"
ASKS = """
import json, os, ssl, urllib.request
folder = "/var/run/secrets/kubernetes.io/serviceaccount"
context = ssl.create_default_context(cafile=f"{folder}/ca.crt")
environment = os.environ["KUBERNETES_SERVICE_HOST"] + ":" + os.environ["KUBERNETES_SERVICE_PORT"]
for address in (environment, "%s"):
    request = urllib.request.Request(f"https://{address}/version")
    request.add_header("Authorization", "Bearer " + open(f"{folder}/token").read())
    print(address, json.load(urllib.request.urlopen(request, context=context))["major"])
"""


def test_a_restricted_pod_runs_and_its_log_can_be_read(node: Node, node_namespace: str) -> None:
    create(node, node_namespace, pod("bare", "import os; print('hello from', os.getuid())"))

    reaches(node, node_namespace, "bare", "Succeeded")

    assert says(node, node_namespace, "bare") == "hello from 65532\n"


def test_a_pod_that_is_not_restricted_is_refused(node: Node, node_namespace: str) -> None:
    refused = pod("root", "pass", securityContext={"runAsUser": 0})

    with pytest.raises(subprocess.CalledProcessError) as caught:
        create(node, node_namespace, refused)

    assert "violates PodSecurity" in caught.value.stderr


def test_a_pod_reaches_the_api_server_as_in_any_cluster(node: Node, node_namespace: str) -> None:
    create(node, node_namespace, pod("asks", ASKS % f"{GATEWAY}:{API_PORT}"))

    reaches(node, node_namespace, "asks", "Succeeded")

    assert says(node, node_namespace, "asks").split("\n")[:2] == [
        f"{API_SERVICE}:443 1",
        f"{GATEWAY}:{API_PORT} 1",
    ]


def test_nothing_listens_for_the_network_of_the_machine(node: Node) -> None:
    names = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
    found = {
        name: listening([node.pid(name)])
        for name in (*names, "containerd", "kubelet", "port-forward")
    }

    addresses = {address for listeners in found.values() for address, _ in listeners}
    assert addresses == {"127.0.0.1", GATEWAY, API_SERVICE}
    assert {address for address, _ in found["kube-apiserver"]} == {"127.0.0.1"}


def test_a_command_can_be_run_in_a_pod(node: Node, node_namespace: str) -> None:
    create(node, node_namespace, pod("stays", UNTIL_TOLD))
    reaches(node, node_namespace, "stays", "Running")

    assert node.kubectl("exec", "stays", "-n", node_namespace, "--", "echo", "inside") == "inside\n"


@pytest.mark.parametrize("component", ["kubelet", "containerd", "port-forward", "kube-apiserver"])
def test_a_pod_outlives_what_runs_it(node: Node, node_namespace: str, component: str) -> None:
    create(node, node_namespace, pod("stays", UNTIL_TOLD))
    until(lambda: says(node, node_namespace, "stays") == "up\n")
    killed = node.pid(component)

    node.kill(component)
    node.revive()

    assert node.pid(component) != killed
    assert phase(node, node_namespace, "stays") == "Running"
    # A kubelet that has just begun looks at its Pods one after the other.
    until(lambda: says(node, node_namespace, "stays") == "up\n")
    create(node, node_namespace, pod("next", "pass"))
    reaches(node, node_namespace, "next", "Succeeded")


def test_the_operators_image_needs_no_root_and_writes_nowhere(
    node: Node, node_namespace: str
) -> None:
    container = {
        "image": OPERATOR,
        "args": ["operator", "--help"],
        "securityContext": {"readOnlyRootFilesystem": True},
    }
    create(node, node_namespace, manifest("operator", container))

    reaches(node, node_namespace, "operator", "Succeeded")

    assert "usage: enso operator" in says(node, node_namespace, "operator")


def test_simulated_nodes_take_pods_that_tolerate_them(node: Node, node_namespace: str) -> None:
    names = simulate(node, 2)
    try:
        create(node, node_namespace, pod("real", "pass"))
        for number in range(20):
            create(
                node,
                node_namespace,
                pod(
                    f"simulated-{number}",
                    "never run",
                    tolerations=[TOLERATION],
                    nodeName=names[number % 2],
                ),
            )

        for number in range(20):
            reaches(node, node_namespace, f"simulated-{number}", "Running")
        reaches(node, node_namespace, "real", "Succeeded")
    finally:
        node.kubectl("delete", "node", *names)
        node.kill("kwok")


def test_the_audit_log_counts_what_a_pod_costs(node: Node, node_namespace: str) -> None:
    mark = node.audit.mark()

    create(node, node_namespace, pod("counted", "pass"))

    made = [request for request in node.audit.since(mark) if request.verb == "create"]
    assert ("pods", "counted") in [(request.resource, request.name) for request in made]
