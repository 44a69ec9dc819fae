"""Containers that have ended: where only Events tell that a kubelet did it, they are read."""

from __future__ import annotations

from typing import Any

import pytest

from enso_operator.kube.client import Forbidden
from enso_operator.sessions.pods.pod_warnings import Warned
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.control import CANCEL
from job_execution_framework.service_layer.records import to_line
from tests.support.followed import Node, follow, started
from tests.support.pods import RUNNING, disrupted, ended, pod

ATTEMPT = {"enso.dev/attempt": to_line(started("open", 1)).decode()}
RUNS = pod(session=RUNNING, annotations=ATTEMPT)
EVICTED = Cause(Reason.EVICTED, "The node was low on memory.")


def over(code: int = 0, **status: Any) -> dict[str, Any]:  # noqa: ANN401  # of a Pod
    status = {"phase": "Failed" if code else "Succeeded", "version": 2, **status}
    return pod(session=ended(code), annotations=ATTEMPT, **status)


def kinds(node: Node) -> list[str]:
    followed = follow(node, container=True)
    return [type(event).__name__ for event in followed.records]


@pytest.mark.parametrize("code", [0, 3])
def test_a_container_that_obeys_its_kubelet_is_in_doubt(code: int) -> None:
    node = Node([RUNS, over(code)], warned=Warned(end=EVICTED))
    followed = follow(node, container=True)
    assert [type(event).__name__ for event in followed.records] == ["ScriptStarted"]
    assert followed.ended.cause == EVICTED
    assert node.event_reads == 1


@pytest.mark.parametrize(("code", "outcome"), [(0, "ScriptSucceeded"), (3, "ScriptFailed")])
def test_one_read_is_enough_for_a_container_that_ended_by_itself(code: int, outcome: str) -> None:
    volume = "FailedMount", Cause(Reason.CONFIG_ERROR, "it came late")
    node = Node([RUNS, over(code, phase="Running"), over(code)], warned=Warned(volume=volume))
    assert kinds(node) == ["ScriptStarted", outcome]
    assert node.event_reads == 1


def test_who_may_read_no_events_believes_the_exit_code() -> None:
    node = Node([RUNS, over()], warned=Forbidden("no right"))
    assert kinds(node) == ["ScriptStarted", "ScriptSucceeded"]


@pytest.mark.parametrize(
    "told",
    [
        {"reason": "Evicted", "message": EVICTED.message},
        {"conditions": disrupted("TerminationByKubelet", EVICTED.message)},
    ],
)
def test_nothing_is_read_where_the_status_has_the_reason(told: dict[str, Any]) -> None:
    node = Node([RUNS, over(3, **told)])
    followed = follow(node, container=True)
    assert [type(event).__name__ for event in followed.records] == ["ScriptStarted"]
    assert followed.ended.cause == EVICTED
    assert node.event_reads == 0


def test_nothing_is_read_of_a_container_that_the_operator_ended() -> None:
    node = Node([RUNS, RUNS, RUNS, over(143)])
    followed = follow(node, container=True, control=CANCEL)
    assert [type(event).__name__ for event in followed.records] == ["ScriptStarted", "ScriptFailed"]
    assert node.expired == 1
    assert node.event_reads == 0


def test_a_pod_that_is_deleted_while_its_events_are_read_has_ended_by_itself() -> None:
    node = Node([RUNS, over(), over(version=3, deleted=True), None], event_seconds=0.2)
    assert kinds(node) == ["ScriptStarted", "ScriptSucceeded"]


def test_a_deletion_that_ended_it_leaves_a_doubt() -> None:
    leaving = pod(session=RUNNING, annotations=ATTEMPT, deleted=True, version=2)
    node = Node([RUNS, leaving, over(version=3, deleted=True), None])
    assert kinds(node) == ["ScriptStarted"]
