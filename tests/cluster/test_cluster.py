"""The development cluster itself, which the other tests of this folder use."""

import json
import subprocess

import pytest
from dev.cluster import binaries
from dev.cluster.plane import Cluster
from dev.host import processes

from tests.cluster.listening import listening
from tests.support.eventually import until


def test_the_api_server_says_its_version(cluster: Cluster) -> None:
    version = json.loads(cluster.kubectl("get", "--raw", "/version"))

    assert version["gitVersion"].startswith("v1.")


def test_everything_listens_on_loopback_alone(cluster: Cluster) -> None:
    found = listening(processes.running(cluster.folder).values())

    assert len(found) == 4  # etcd has a second one, for its peers
    assert {address for address, _ in found} == {"127.0.0.1"}


def test_what_an_owner_owned_goes_with_it(cluster: Cluster, namespace: str) -> None:
    uid = create(cluster, namespace, "owner")
    create(cluster, namespace, "owned", owner=("owner", uid))
    assert names(cluster, namespace) == {"owner", "owned"}

    cluster.kubectl("delete", "configmap", "owner", "-n", namespace)

    until(lambda: names(cluster, namespace) == set())


def test_the_audit_log_counts_requests(cluster: Cluster, namespace: str) -> None:
    mark = cluster.audit.mark()

    for number in range(3):
        create(cluster, namespace, f"number-{number}")
    cluster.kubectl("get", "configmap", "number-1", "-n", namespace)

    requests = [
        (request.verb, request.resource, request.code, request.is_write)
        for request in cluster.audit.since(mark)
        if request.namespace == namespace and request.user_agent.startswith("kubectl/")
    ]
    assert requests == [("create", "configmaps", 201, True)] * 3 + [
        ("get", "configmaps", 200, False)
    ]


def test_a_killed_api_server_comes_back_with_its_data(own_cluster: Cluster) -> None:
    create(own_cluster, "default", "kept")
    killed = own_cluster.pid("kube-apiserver")

    own_cluster.kill("kube-apiserver")
    with pytest.raises(subprocess.CalledProcessError):
        own_cluster.kubectl("get", "configmaps")
    own_cluster.revive()

    assert own_cluster.pid("kube-apiserver") != killed
    assert "kept" in names(own_cluster, "default")
    assert processes.running(own_cluster.folder).keys() == {*binaries.CONTROL_PLANE}


def create(
    cluster: Cluster, namespace: str, name: str, *, owner: tuple[str, str] | None = None
) -> str:
    """Create a ConfigMap and return its uid."""
    owners = [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": of, "uid": uid}
        for of, uid in ([owner] if owner else [])
    ]
    manifest = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "ownerReferences": owners},
    }
    options = ("-n", namespace, "-f", "-", "-o", "jsonpath={.metadata.uid}")
    return cluster.kubectl("create", *options, stdin=json.dumps(manifest))


def names(cluster: Cluster, namespace: str) -> set[str]:
    """Return the names of the ConfigMaps that a test has made."""
    told = cluster.kubectl("get", "configmaps", "-n", namespace, "-o", "name").split()
    return {line.removeprefix("configmap/") for line in told} - {"kube-root-ca.crt"}
