"""Many jobs whose Pods wait for their volumes: what that costs, and what is said of each."""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path

import pytest
from kubernetes.client import ApiClient

from enso_operator.kube.client import ApiObjects, request
from enso_operator.sessions.pods.shared_reads import FOR_A_VOLUME
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.kubelet import CONTAINER, PODS
from tests.support.eventually import until
from tests.support.operators import Operators, operators_of
from tests.support.resources import Document, of_scripts

JOBS = 12
"""No more than there are Events in the first page of a list."""


@pytest.fixture
def operators(ns: ClusterNamespace, tmp_path: Path) -> Generator[Operators]:
    with operators_of(ns.cluster.kubeconfig, ns.namespace, tmp_path, PODS) as started:
        yield started


def is_bound(client: ApiClient, pod: Document) -> bool:
    """Give a Pod a node, once it is released; no kubelet is there."""
    metadata, spec = pod["metadata"], pod["spec"]
    if not spec.get("schedulingGates") and not spec.get("nodeName"):
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/binding"
        to: Document = {"apiVersion": "v1", "kind": "Node", "name": "far-away"}
        binding: Document = {"apiVersion": "v1", "kind": "Binding", "target": to}
        request(client, "POST", path, binding | {"metadata": {"name": metadata["name"]}})
    return bool(spec.get("nodeName"))


def say_why(client: ApiClient, pod: Document) -> None:
    """Post what a kubelet posts of a Secret that is not there."""
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    about = {"kind": "Pod", "namespace": namespace, "name": name, "uid": pod["metadata"]["uid"]}
    document: Document = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{name}.1"},
        "involvedObject": about,
        "type": "Warning",
        "reason": "FailedMount",
        "message": f"no secret for {name}",
    }
    ApiObjects(client, namespace, "events", "v1").create(document)


def test_events_are_read_once_for_all_jobs_that_wait(
    ns: ClusterNamespace, operators: Operators, client: ApiClient
) -> None:
    operators.ready()
    mark, began = ns.cluster.audit.mark(), time.monotonic()
    for number in range(JOBS):
        job = of_scripts({"name": "render", "container": CONTAINER})
        ns.create(job | {"metadata": {"name": f"shot-{number}"}})
    until(lambda: [is_bound(client, pod) for pod in ns.listed("pods")] == [True] * JOBS)
    for pod in ns.listed("pods"):
        say_why(client, pod)
    until(lambda: {job["status"].get("reason") for job in ns.objects.each()} == {"ConfigError"})

    for pod in ns.listed("pods"):
        told = str(ns.get(pod["metadata"]["labels"]["enso.dev/job"])["status"])
        assert f"no secret for {pod['metadata']['name']}" in told
    asked = [(request.verb, request.resource) for request in ns.requests(mark)]
    assert (
        1
        <= asked.count(("list", "events"))
        <= (time.monotonic() - began) / FOR_A_VOLUME.shortest_pause
    )
