"""Container scripts of many jobs that end at once: how often Events are read for them."""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path

import pytest
from kubernetes.client import ApiClient

from enso_operator.sessions.pods.shared_reads import FOR_AN_END
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.kubelet import CONTAINER, PODS, end_released
from tests.support.eventually import until
from tests.support.operators import Operators, operators_of
from tests.support.resources import of_scripts

JOBS = 40


@pytest.fixture
def operators(ns: ClusterNamespace, tmp_path: Path) -> Generator[Operators]:
    with operators_of(ns.cluster.kubeconfig, ns.namespace, tmp_path, PODS) as started:
        yield started


def released(ns: ClusterNamespace) -> int:
    return len([pod for pod in ns.listed("pods") if not pod["spec"].get("schedulingGates")])


def test_events_are_read_a_few_times_for_all_that_end_at_once(
    ns: ClusterNamespace, operators: Operators, client: ApiClient
) -> None:
    operators.ready()
    for number in range(JOBS):
        job = of_scripts({"name": "render", "container": CONTAINER})
        ns.create(job | {"metadata": {"name": f"shot-{number}"}})
    until(lambda: released(ns) == JOBS)
    mark, began = ns.cluster.audit.mark(), time.monotonic()
    assert end_released(client, ns) == JOBS
    until(lambda: {ns.state(f"shot-{number}") for number in range(JOBS)} == {"Succeeded"})

    asked = [(request.verb, request.resource) for request in ns.requests(mark)]
    passed = time.monotonic() - began
    assert 1 <= asked.count(("list", "events")) <= 1 + passed / FOR_AN_END.shortest_pause
