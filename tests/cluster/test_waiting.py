"""Obstacles that keep a job waiting: they are shown in the API server's words and retried."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.kubelet import PODS
from tests.cluster.test_waiting_for_a_quota import set_quota
from tests.support.eventually import until
from tests.support.fault_proxy import FaultProxy, answer, on
from tests.support.operators import Operators, operators_of
from tests.support.resources import of_scripts

PASSES = {"source": "def main(): pass"}


@pytest.fixture
def operators(ns: ClusterNamespace, tmp_path: Path) -> Generator[Operators]:
    """Operators whose sessions are Pods, which no node takes."""
    with operators_of(ns.cluster.kubeconfig, ns.namespace, tmp_path, PODS) as started:
        yield started


@pytest.fixture
def webhook(ns: ClusterNamespace) -> Generator[str]:
    """A webhook for the namespace's new Pods that cannot be reached; others are not its."""
    name = f"{ns.namespace}.example.com"
    document = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": [
            {
                "name": name,
                "clientConfig": {"url": "https://127.0.0.1:1/"},
                "rules": [
                    {
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE"],
                        "resources": ["pods"],
                    }
                ],
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": ns.namespace}},
                "failurePolicy": "Fail",
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
            }
        ],
    }
    ns.apply(document)
    yield name
    ns.cluster.kubectl("delete", "mutatingwebhookconfiguration", name, "--ignore-not-found")


def message(ns: ClusterNamespace) -> str:
    (said,) = [
        condition
        for condition in ns.get()["status"]["conditions"]
        if condition["type"] == "Succeeded"
    ]
    return str(said["message"])


def posts(ns: ClusterNamespace, mark: int, resource: str) -> int:
    return sum(
        (request.verb, request.resource) == ("create", resource) for request in ns.requests(mark)
    )


def test_a_webhook_that_is_away_silences_no_job_and_stops_no_deadline(
    ns: ClusterNamespace, operators: Operators, webhook: str
) -> None:
    ns.apply(of_scripts(PASSES, activeDeadlineSeconds=20))
    operators.start()
    until(lambda: ns.columns()[1:4] == ["Waiting", "0/1", "FailedCreate"])
    assert f'failed calling webhook "{webhook}"' in message(ns)
    assert "pod" not in ns.get()["status"]
    until(lambda: "NotGoingOn" in dict(ns.job_events()))
    assert "failed calling webhook" in dict(ns.job_events())["NotGoingOn"]
    assert "failed calling webhook" in operators.started[0].log_text
    ns.waits("Finished")
    assert ns.columns()[1:4] == ["Failed", "0/1", "DeadlineExceeded"]
    card = "".join(ns.get()["status"]["why"])
    assert "took longer than its 20 s, at script-0; it waited: FailedCreate: " in card
    assert f'failed calling webhook "{webhook}"' in card
    assert "connection refused" in card


def test_a_webhook_that_comes_back_lets_the_job_go_on(
    ns: ClusterNamespace, operators: Operators, webhook: str
) -> None:
    ns.apply(of_scripts(PASSES))
    operators.start()
    until(lambda: ns.columns()[1:4] == ["Waiting", "0/1", "FailedCreate"])
    ns.cluster.kubectl("delete", "mutatingwebhookconfiguration", webhook)
    until(lambda: "SessionOpened" in dict(ns.job_events()))
    until(lambda: "FailedCreate" not in ns.columns())
    until(lambda: ns.get()["status"].get("pod", "").startswith("shot-main-1-"))


def test_a_job_that_waits_for_a_quota_costs_little(
    ns: ClusterNamespace, operators: Operators
) -> None:
    set_quota(ns, pods="0")
    operators.start()
    mark = ns.cluster.audit.mark()
    ns.apply(of_scripts(PASSES))
    until(lambda: ns.columns()[1:4] == ["Waiting", "0/1", "FailedCreate"])
    assert "exceeded quota: compute" in message(ns)
    for number in range(1, 4):  # the numbers in the message change all the time
        ns.kubectl("create", "configmap", f"other-{number}")
        set_quota(ns, pods="0", configmaps=str(10 + number))
    until(lambda: posts(ns, mark, "pods") > 4)
    ours = [event for event in ns.job_events() if event[0] == "NotGoingOn"]
    assert len(ours) == 1, ours
    assert posts(ns, mark, "configmaps") == 1 + 3
    assert ns.writes(mark) == ["create", "patch"]


def test_the_quotas_own_conflict_is_no_earlier_pod(
    ns: ClusterNamespace, operators: Operators
) -> None:
    busy = 'Operation cannot be fulfilled on resourcequotas "compute": the object has been modified'
    with FaultProxy(operators.kubeconfig) as proxy:
        proxy.add(on("create", "pods"), answer(409, busy))
        ns.apply(of_scripts(PASSES))
        operators.start(kubeconfig=proxy.kubeconfig)
        until(lambda: ns.columns()[1:4] == ["Waiting", "0/1", "FailedCreate"])
        assert message(ns).endswith(busy)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (403, 'User "enso" cannot patch resource "ensojobs/status"'),
        (500, "etcdserver: request is too large"),
    ],
)
def test_a_status_that_cannot_be_written_is_told(
    ns: ClusterNamespace, operators: Operators, code: int, sentence: str
) -> None:
    ns.apply(of_scripts(PASSES))
    with FaultProxy(operators.kubeconfig) as proxy:
        proxy.add(on("patch", "ensojobs/status"), answer(code, sentence))
        operator = operators.start(kubeconfig=proxy.kubeconfig)
        until(lambda: "NotGoingOn" in dict(ns.job_events()))
        assert sentence in dict(ns.job_events())["NotGoingOn"]
        assert sentence in operator.log_text
        assert "its actor broke" not in operator.log_text


@pytest.fixture
def gated(ns: ClusterNamespace) -> Generator[None]:
    """A policy that puts gates of others before and behind those of the namespace's new Pods."""
    name = f"{ns.namespace}-gates"
    added = [
        f"JSONPatch{{op: 'add', path: '/spec/schedulingGates/{place}', "
        f"value: Object.spec.schedulingGates{{name: '{gate}'}}}}"
        for place, gate in (("0", "example.com/before"), ("-", "example.com/behind"))
    ]
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "matchConstraints": {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": ns.namespace}},
                "resourceRules": [
                    {
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE"],
                        "resources": ["pods"],
                    }
                ],
            },
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            "mutations": [
                {"patchType": "JSONPatch", "jsonPatch": {"expression": f"[{', '.join(added)}]"}}
            ],
        },
    }
    ns.apply(policy)
    ns.apply(
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "MutatingAdmissionPolicyBinding",
            "metadata": {"name": name},
            "spec": {"policyName": name},
        }
    )
    until(lambda: len(gates_of(ns, ["run", "probe", *PROBE])) == 3)
    yield
    for kind in ("mutatingadmissionpolicybinding", "mutatingadmissionpolicy"):
        ns.cluster.kubectl("delete", kind, name)


PROBE = (
    "--image=x",
    "--dry-run=server",
    '--overrides={"spec": {"schedulingGates": [{"name": "example.com/own"}]}}',
)


def gates_of(ns: ClusterNamespace, command: list[str]) -> list[str]:
    pod = json.loads(ns.kubectl(*command, "-o", "json"))
    return [gate["name"] for gate in pod["spec"].get("schedulingGates", ())]


@pytest.mark.usefixtures("gated")
def test_gates_of_others_are_waited_for(ns: ClusterNamespace, operators: Operators) -> None:
    late = of_scripts(PASSES, activeDeadlineSeconds=20) | {"metadata": {"name": "late"}}
    for document in (of_scripts(PASSES), late):
        ns.apply(document)
    operators.start()
    until(lambda: ns.columns()[1:4] == ["Waiting", "0/1", "SchedulingGated"])
    assert "example.com/before, example.com/behind" in message(ns)
    pod = f"pod/{ns.get()['status']['pod']}"
    assert gates_of(ns, ["get", pod]) == ["example.com/before", "example.com/behind"]
    lifted = json.dumps([{"op": "remove", "path": "/spec/schedulingGates"}])
    ns.kubectl("patch", pod, "--type=json", "-p", lifted)
    until(lambda: "SchedulingGated" not in ns.columns())
    ns.kubectl("delete", "ensojob", "shot", "--wait=false")
    ns.waits("Finished", "late")
    card = "".join(ns.get("late")["status"]["why"])
    assert "it waited: SchedulingGated: " in card
    assert "example.com/before, example.com/behind" in card
    until(lambda: ns.kubectl("get", "pods", "-o", "name") == "")
    assert "pod" not in ns.get("late")["status"]


def test_a_quota_that_wants_limits_says_of_what(ns: ClusterNamespace, operators: Operators) -> None:
    """Of the operator's own container, too: that is for its settings to give."""
    set_quota(ns, **{"limits.cpu": "4"})
    first = operators.start()
    limits = {"resources": {"limits": {"cpu": "1"}}}
    ns.apply(of_scripts(PASSES, sessions=[{"name": "main", **limits}]))
    until(lambda: ns.columns()[1:4] == ["Waiting", "0/1", "FailedCreate"])
    assert "must specify limits.cpu for: records" in message(ns)
    first.stop()
    operators.start("--records-limits=cpu=100m,memory=96Mi")
    until(lambda: "SessionOpened" in dict(ns.job_events()))
