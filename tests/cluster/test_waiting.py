"""What keeps a job from going on: told in the API server's words, tried again, never silent."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.cluster.desk import Desk
from tests.support.fault_proxy import FaultProxy, answer, on
from tests.support.operators import Operators, operators_of, until
from tests.support.resources import Document, of_scripts

PODS = ("--sessions=pods", "--records-image=localhost/enso", "--session-image=localhost/python")
PASSES = {"source": "def main(): pass"}


@pytest.fixture
def operators(desk: Desk, tmp_path: Path) -> Generator[Operators]:
    """Operators whose sessions are Pods, which no node takes."""
    with operators_of(desk.cluster.kubeconfig, desk.namespace, tmp_path, PODS) as one:
        yield one


@pytest.fixture
def webhook(desk: Desk) -> Generator[str]:
    """A webhook for the namespace's new Pods that cannot be reached; others are not its."""
    name = f"{desk.namespace}.example.com"
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
                "namespaceSelector": {
                    "matchLabels": {"kubernetes.io/metadata.name": desk.namespace}
                },
                "failurePolicy": "Fail",
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
            }
        ],
    }
    desk.apply(document)
    yield name
    desk.cluster.kubectl("delete", "mutatingwebhookconfiguration", name, "--ignore-not-found")


def quota(desk: Desk, **hard: str) -> Document:
    metadata = {"name": "compute", "namespace": desk.namespace}
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": metadata,
        "spec": {"hard": hard},
    }


def message(desk: Desk) -> str:
    (said,) = [one for one in desk.get()["status"]["conditions"] if one["type"] == "Succeeded"]
    return str(said["message"])


def posts(desk: Desk, mark: int, resource: str) -> int:
    requests = desk.cluster.audit.since(mark)
    return sum(
        (each.verb, each.resource, each.namespace) == ("create", resource, desk.namespace)
        for each in requests
    )


def test_a_webhook_that_is_away_silences_no_job_and_stops_no_deadline(
    desk: Desk, operators: Operators, webhook: str
) -> None:
    desk.apply(of_scripts(PASSES, activeDeadlineSeconds=20))
    operators.start()
    until(lambda: desk.columns()[1:4] == ["Waiting", "0/1", "FailedCreate"])
    assert f'failed calling webhook "{webhook}"' in message(desk)
    assert "pod" not in desk.get()["status"]
    until(lambda: "NotGoingOn" in dict(desk.told()))
    assert "failed calling webhook" in dict(desk.told())["NotGoingOn"]
    assert "failed calling webhook" in operators.started[0].said
    desk.waits("Finished")
    assert desk.columns()[1:4] == ["Failed", "0/1", "DeadlineExceeded"]
    card = "".join(desk.get()["status"]["why"])
    assert "took longer than its 20 s, at script-0; it waited: FailedCreate: " in card
    assert f'failed calling webhook "{webhook}"' in card
    assert "connection refused" in card


def test_a_webhook_that_comes_back_lets_the_job_go_on(
    desk: Desk, operators: Operators, webhook: str
) -> None:
    desk.apply(of_scripts(PASSES))
    operators.start()
    until(lambda: desk.columns()[1:4] == ["Waiting", "0/1", "FailedCreate"])
    desk.cluster.kubectl("delete", "mutatingwebhookconfiguration", webhook)
    until(lambda: "SessionOpened" in dict(desk.told()))
    until(lambda: "FailedCreate" not in desk.columns())
    assert desk.get()["status"]["pod"].startswith("shot-main-1-")


def test_a_job_that_waits_for_a_quota_costs_little(desk: Desk, operators: Operators) -> None:
    desk.apply(quota(desk, pods="0"))
    operators.start()
    mark = desk.cluster.audit.mark()
    desk.apply(of_scripts(PASSES))
    until(lambda: desk.columns()[1:4] == ["Waiting", "0/1", "FailedCreate"])
    assert "exceeded quota: compute" in message(desk)
    for number in range(1, 4):  # its numbers change all the time
        desk.kubectl("create", "configmap", f"other-{number}")
        desk.apply(quota(desk, pods="0", configmaps=str(10 + number)))
    until(lambda: posts(desk, mark, "pods") > 4)
    ours = [one for one in desk.told() if one[0] == "NotGoingOn"]
    assert len(ours) == 1, ours
    assert posts(desk, mark, "configmaps") == 1 + 3
    assert desk.writes(mark) == ["create", "patch"]


def test_the_quotas_own_conflict_is_no_earlier_pod(desk: Desk, operators: Operators) -> None:
    busy = 'Operation cannot be fulfilled on resourcequotas "compute": the object has been modified'
    with FaultProxy(operators.kubeconfig) as proxy:
        proxy.add(on("create", "pods"), answer(409, busy))
        desk.apply(of_scripts(PASSES))
        operators.start(kubeconfig=proxy.kubeconfig)
        until(lambda: desk.columns()[1:4] == ["Waiting", "0/1", "FailedCreate"])
        assert message(desk).endswith(busy)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (403, 'User "enso" cannot patch resource "ensojobs/status"'),
        (500, "etcdserver: request is too large"),
    ],
)
def test_a_status_that_cannot_be_written_is_told(
    desk: Desk, operators: Operators, code: int, sentence: str
) -> None:
    desk.apply(of_scripts(PASSES))
    with FaultProxy(operators.kubeconfig) as proxy:
        proxy.add(on("patch", "ensojobs/status"), answer(code, sentence))
        one = operators.start(kubeconfig=proxy.kubeconfig)
        until(lambda: "NotGoingOn" in dict(desk.told()))
        assert sentence in dict(desk.told())["NotGoingOn"]
        assert sentence in one.said
        assert "its actor broke" not in one.said


@pytest.fixture
def gated(desk: Desk) -> Generator[None]:
    """A policy that puts gates of others before and behind those of the namespace's new Pods."""
    name = f"{desk.namespace}-gates"
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
                "namespaceSelector": {
                    "matchLabels": {"kubernetes.io/metadata.name": desk.namespace}
                },
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
    desk.apply(policy)
    desk.apply(
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "MutatingAdmissionPolicyBinding",
            "metadata": {"name": name},
            "spec": {"policyName": name},
        }
    )
    until(lambda: len(gates_of(desk, ["run", "probe", *PROBE])) == 3)
    yield
    for kind in ("mutatingadmissionpolicybinding", "mutatingadmissionpolicy"):
        desk.cluster.kubectl("delete", kind, name)


PROBE = (
    "--image=x",
    "--dry-run=server",
    '--overrides={"spec": {"schedulingGates": [{"name": "example.com/own"}]}}',
)


def gates_of(desk: Desk, command: list[str]) -> list[str]:
    pod = json.loads(desk.kubectl(*command, "-o", "json"))
    return [gate["name"] for gate in pod["spec"].get("schedulingGates", ())]


@pytest.mark.usefixtures("gated")
def test_gates_of_others_are_waited_for(desk: Desk, operators: Operators) -> None:
    late = of_scripts(PASSES, activeDeadlineSeconds=20) | {"metadata": {"name": "late"}}
    for document in (of_scripts(PASSES), late):
        desk.apply(document)
    operators.start()
    until(lambda: desk.columns()[1:4] == ["Waiting", "0/1", "SchedulingGated"])
    assert "example.com/before, example.com/behind" in message(desk)
    pod = f"pod/{desk.get()['status']['pod']}"
    assert gates_of(desk, ["get", pod]) == ["example.com/before", "example.com/behind"]
    lifted = json.dumps([{"op": "remove", "path": "/spec/schedulingGates"}])
    desk.kubectl("patch", pod, "--type=json", "-p", lifted)
    until(lambda: "SchedulingGated" not in desk.columns())
    desk.kubectl("delete", "ensojob", "shot", "--wait=false")
    desk.waits("Finished", "late")
    card = "".join(desk.get("late")["status"]["why"])
    assert "it waited: SchedulingGated: " in card
    assert "example.com/before, example.com/behind" in card
    until(lambda: desk.kubectl("get", "pods", "-o", "name") == "")
    assert "pod" not in desk.get("late")["status"]


def test_a_quota_that_wants_limits_says_of_what(desk: Desk, operators: Operators) -> None:
    """Of the operator's own container, too: that is for its settings to give."""
    desk.apply(quota(desk, **{"limits.cpu": "4"}))
    first = operators.start()
    limits = {"resources": {"limits": {"cpu": "1"}}}
    desk.apply(of_scripts(PASSES, sessions=[{"name": "main", **limits}]))
    until(lambda: desk.columns()[1:4] == ["Waiting", "0/1", "FailedCreate"])
    assert "must specify limits.cpu for: records" in message(desk)
    first.stop()
    operators.start("--records-limits=cpu=100m,memory=96Mi")
    until(lambda: "SessionOpened" in dict(desk.told()))
