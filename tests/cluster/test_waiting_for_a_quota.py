"""Many jobs that wait for room in a quota: what they ask the API server, and who is next."""

from __future__ import annotations

import time
from collections.abc import Generator
from functools import partial
from pathlib import Path

import pytest
from kubernetes.client import ApiClient

from enso_operator.controller.start_queue import MOST_OF_A_NAMESPACE
from enso_operator.sessions.pods.quota_queue import LONGEST_PAUSE_SECONDS
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.kubelet import CONTAINER, PODS, end_released, unfinished
from tests.support.eventually import until
from tests.support.fault_proxy import FaultProxy, answer, on
from tests.support.operators import Operators, operators_of
from tests.support.resources import Document, of_scripts

SMALL: Document = {**CONTAINER, "resources": {"requests": {"cpu": "1"}}}
LARGE: Document = {**CONTAINER, "resources": {"requests": {"cpu": "8"}}}
IN_A_ROW = 8
"""Refusals that follow each other at most before there is the longest pause between them."""


@pytest.fixture
def operators(ns: ClusterNamespace, tmp_path: Path) -> Generator[Operators]:
    with operators_of(ns.cluster.kubeconfig, ns.namespace, tmp_path, PODS) as started:
        yield started


@pytest.fixture
def other(ns: ClusterNamespace, client: ApiClient) -> Generator[ClusterNamespace]:
    """Another namespace."""
    name = f"{ns.namespace}-other"
    ns.cluster.kubectl("create", "namespace", name)
    yield ClusterNamespace(ns.cluster, client, name)
    ns.cluster.kubectl("delete", "namespace", name, "--wait=false")


def set_quota(ns: ClusterNamespace, **hard: str) -> None:
    """Apply a quota, and wait until it is counted: until then the API server refuses everything."""
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
    return sum(
        (request.verb, request.resource, request.code) == ("create", "pods", 403)
        for request in ns.requests(mark)
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
    assert refused(ns, mark) <= MOST_OF_A_NAMESPACE + rounds

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


def test_an_operator_that_comes_back_asks_for_one_of_them(
    ns: ClusterNamespace, operators: Operators, client: ApiClient
) -> None:
    set_quota(ns, pods="0")
    names = [f"shot-{number:03}" for number in range(100)]
    first = operators.ready()
    for name in names:
        create(ns, name)
    until(lambda: waiting(ns) == len(names))
    first.kill()
    mark, began = ns.cluster.audit.mark(), time.monotonic()
    operators.ready()
    until(lambda: refused(ns, mark) > MOST_OF_A_NAMESPACE / 8)
    rounds = IN_A_ROW + (time.monotonic() - began) / LONGEST_PAUSE_SECONDS
    assert refused(ns, mark) <= MOST_OF_A_NAMESPACE + rounds
    assert waiting(ns) == len(names)
    set_quota(ns, pods="200")
    until(lambda: len(ns.listed("pods")) == len(names))
    until(lambda: end_released(client, ns) == 0 and ns.states() == {"Succeeded": len(names)})


def test_a_pod_that_was_left_by_an_operator_does_not_keep_its_own_job_waiting(
    ns: ClusterNamespace, operators: Operators, client: ApiClient
) -> None:
    set_quota(ns, pods="1")
    create(ns, "shot")
    with FaultProxy(operators.kubeconfig) as proxy:
        proxy.add(on("patch", "ensojobs/status"), answer(500, "it cannot be written"))
        operator = operators.start(kubeconfig=proxy.kubeconfig)
        until(lambda: unfinished(ns))
        operator.kill()
    create(ns, "next")
    operators.start()
    until(lambda: end_released(client, ns) == 1)
    ns.waits("Finished")
    until(lambda: end_released(client, ns) == 1)
    ns.waits("Finished", "next")
    assert ns.states() == {"Succeeded": 2}


def test_a_namespace_that_is_full_holds_up_no_other(
    ns: ClusterNamespace, operators: Operators, client: ApiClient, other: ClusterNamespace
) -> None:
    set_quota(ns, pods="0")
    set_quota(other, pods="3")
    operators.ready(f"--namespaces={ns.namespace},{other.namespace}")
    mark, names = ns.cluster.audit.mark(), [f"shot-{number}" for number in range(9)]
    for name in names:
        create(ns, name)
        create(other, name)
    until(lambda: waiting(ns) == len(names))
    until(lambda: end_released(client, other) == 0 and other.states() == {"Succeeded": len(names)})
    assert refused(other, mark) <= IN_A_ROW * len(names)
    assert waiting(ns) == len(names)


def test_a_job_that_fits_is_not_held_up_by_older_ones_that_do_not(
    ns: ClusterNamespace, operators: Operators, client: ApiClient
) -> None:
    set_quota(ns, **{"requests.cpu": "8"})
    operators.ready()
    create(ns, "first", SMALL)
    until(lambda: unfinished(ns))
    for number in range(5):
        create(ns, f"large-{number}", LARGE)
    until(lambda: waiting(ns) == 5)
    create(ns, "small", SMALL)
    until(lambda: len(unfinished(ns)) == 2)
    until(lambda: end_released(client, ns))
    until(lambda: end_released(client, ns) == 0 and ns.states() == {"Succeeded": 7})


def test_jobs_that_wait_are_cancelled_and_run_into_their_deadlines(
    ns: ClusterNamespace, operators: Operators, client: ApiClient
) -> None:
    set_quota(ns, pods="0")
    late = of_scripts({"name": "render", "container": CONTAINER}, activeDeadlineSeconds=10)
    ns.create(late | {"metadata": {"name": "late"}})
    for name in ("older", "held", "other"):
        create(ns, name)
    operators.start()
    ns.waits("Finished", "late")
    why = "".join(ns.get("late")["status"]["why"])
    assert 'it waited: FailedCreate: the API server does not let us (403): pods "late-' in why
    until(lambda: waiting(ns) == 3)
    ns.patch("older", suspend=True)
    ns.kubectl("delete", "ensojob", "held")
    until(lambda: ns.state("older") == "Suspended")
    set_quota(ns, pods="1")
    until(lambda: end_released(client, ns))
    ns.waits("Finished", "other")
    assert len(ns.listed("pods")) == 1


def test_operators_that_are_killed_leave_no_job_waiting_beside_room(
    ns: ClusterNamespace, operators: Operators, client: ApiClient
) -> None:
    set_quota(ns, pods="2")
    names = [f"shot-{number:02}" for number in range(8)]
    for name in names:
        create(ns, name)

    def pods_are(number: int) -> bool:
        end_released(client, ns)
        return len(ns.listed("pods")) >= number

    for number in (1, 3, 5):  # one that was just created may be neither committed nor released
        operator = operators.start()
        until(partial(pods_are, number))
        operator.kill()
    operators.start()
    until(lambda: end_released(client, ns) == 0 and ns.states() == {"Succeeded": len(names)})
    by_job = [pod["metadata"]["labels"]["enso.dev/job"] for pod in ns.listed("pods")]
    assert sorted(by_job) == names, "one Pod each"
