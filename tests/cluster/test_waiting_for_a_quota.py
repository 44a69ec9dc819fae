"""Many jobs that wait for room in a quota: what they ask the API server, and who is next."""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path

import pytest
from kubernetes.client import ApiClient

from enso_operator.blocking import MOST_AT_ONCE
from enso_operator.sessions.pods.quota_queue import LONGEST_PAUSE_SECONDS
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.kubelet import end_released, unfinished
from tests.support.eventually import until
from tests.support.operators import Operators, operators_of
from tests.support.resources import Document, of_scripts

PODS = ("--sessions=pods", "--records-image=localhost/enso", "--session-image=localhost/python")
CONTAINER = {"image": "localhost/none", "command": ["true"]}
SMALL: Document = {**CONTAINER, "resources": {"requests": {"cpu": "1"}}}
LARGE: Document = {**CONTAINER, "resources": {"requests": {"cpu": "8"}}}
IN_A_ROW = 8
"""Refusals that follow each other at most before there is the longest pause between them."""


@pytest.fixture
def operators(ns: ClusterNamespace, tmp_path: Path) -> Generator[Operators]:
    with operators_of(ns.cluster.kubeconfig, ns.namespace, tmp_path, PODS) as started:
        yield started


def set_quota(ns: ClusterNamespace, **hard: str) -> None:
    metadata = {"name": "compute", "namespace": ns.namespace}
    ns.apply(
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": metadata,
            "spec": {"hard": hard},
        }
    )
    until(lambda: ns.listed("resourcequotas")[0]["status"].get("hard") == hard)


def create(ns: ClusterNamespace, name: str, container: Document = CONTAINER) -> None:
    job = of_scripts({"name": "render", "container": container})
    ns.create(job | {"metadata": {"name": name}})


def refused(ns: ClusterNamespace, mark: int) -> int:
    """Return how many Pods of the namespace were refused since then."""
    asked = ns.cluster.audit.since(mark)
    return sum(
        (request.verb, request.resource, request.code) == ("create", "pods", 403)
        for request in asked
        if request.namespace == ns.namespace
    )


def waiting(ns: ClusterNamespace) -> int:
    said = (job["status"].get("reason") for job in ns.objects.each() if "status" in job)
    return sum(reason == "FailedCreate" for reason in said)


def test_many_jobs_ask_as_often_as_one_and_follow_each_other_in_order(
    ns: ClusterNamespace, operators: Operators, client: ApiClient
) -> None:
    set_quota(ns, pods="1")
    names = [f"shot-{number:02}" for number in range(50)]
    operators.ready()
    create(ns, "first")
    until(lambda: unfinished(ns))
    mark, began = ns.cluster.audit.mark(), time.monotonic()
    for name in reversed(names):
        create(ns, name)
    until(lambda: waiting(ns) == len(names))
    assert "exceeded quota: compute" in str(ns.get("shot-49")["status"])
    assert '"shot-49-' in str(ns.get("shot-49")["status"])
    until(lambda: refused(ns, mark) > 3)
    rounds = IN_A_ROW + (time.monotonic() - began) / LONGEST_PAUSE_SECONDS
    assert refused(ns, mark) <= MOST_AT_ONCE + rounds

    mark, began = ns.cluster.audit.mark(), time.monotonic()
    ended = 0
    while ended < 10:
        until(lambda: end_released(client, ns))
        ended += 1
    rounds = ended * IN_A_ROW + (time.monotonic() - began) / LONGEST_PAUSE_SECONDS
    assert refused(ns, mark) <= rounds
    # The clock of creation has seconds; within one the names decide.
    age = {
        job["metadata"]["name"]: job["metadata"]["creationTimestamp"] for job in ns.objects.each()
    }
    by_age = sorted(names, key=lambda name: (age[name], name))
    pods = [pod["metadata"]["labels"]["enso.dev/job"] for pod in ns.listed("pods")]
    assert {*pods} - {"first"} <= {*by_age[:10]}

    set_quota(ns, pods="100")
    until(lambda: len(ns.listed("pods")) == 51)
    until(lambda: end_released(client, ns) == 0 and ns.states() == {"Succeeded": 51})
