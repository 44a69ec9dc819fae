"""A job that looks ended has not, while an EnsoAction on it is undecided."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from enso_operator.cli.jobs.follow import LONGEST_PAUSE_SECONDS
from enso_operator.cli.jobs.undecided import NotEnded, has_ended
from enso_operator.kube.workstation.errors import Answered, NoCluster, NoSuchName, NotInstalled
from tests.support.resources import Document
from tests.support.statuses import FAILED_JOB, condition

JOB: Document = {
    "metadata": {"name": "shot", "uid": "0c9f", "resourceVersion": "7"},
    "spec": {},
    "status": FAILED_JOB,
}
REFUSED: Document = {"status": {"conditions": [condition("Finished", "True", "NotPossible", "")]}}
BY_JOB = {"fieldSelector": "spec.job=shot"}
WAITS = "shot: Failed, 1 of 4 scripts done; no operator has acted on action again"
FORBIDDEN = Answered("you lack a right in this cluster", 403)


def action(**spec: str) -> Document:
    return {"metadata": {"name": "again"}, "spec": {"job": "shot", "verb": "resume"} | spec}


class FakeApi:
    """An API server with these answers to lists of actions, one after the other; the last stays."""

    def __init__(self, *lists: list[Document] | Exception, job: Document | Exception = JOB) -> None:
        self.access = SimpleNamespace(namespace="shows")
        self.lists, self.job = [*lists], job
        self.asked: list[object] = []

    def path(self, plural: str, _name: str = "") -> str:
        return plural

    def pages(self, path: str, query: object) -> list[Document]:
        self.asked.append(query)
        assert path == "ensoactions"
        answer = self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]
        if isinstance(answer, Exception):
            raise answer
        return [{"items": answer or None}]

    def get(self, path: str) -> Document:
        self.asked.append(path)
        if isinstance(self.job, Exception):
            raise self.job
        return self.job


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let pauses take no time, and return them."""
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    monkeypatch.setattr(time, "monotonic", lambda: sum(pauses))
    return pauses


def asks(api: Any, end: float = 60, tell: Callable[[str], None] = pytest.fail) -> bool:  # noqa: ANN401  # a fake
    return has_ended(api, JOB, tell, end)


@pytest.mark.parametrize(
    "actions",
    [
        [],
        [action() | REFUSED],
        [action(jobUID="of-an-earlier-one")],
        [action(job="other")],
    ],
)
def test_an_end_that_no_action_changes_takes_two_requests(actions: list[Document]) -> None:
    api = FakeApi(actions)
    assert asks(api)
    assert api.asked == [BY_JOB, "ensojobs"]


@pytest.mark.parametrize("undecided", [action(), action(jobUID=""), action(jobUID="0c9f")])
@pytest.mark.parametrize("then", [[], [action() | REFUSED]], ids=["deleted", "refused"])
def test_an_action_is_waited_for(
    undecided: Document, then: list[Document], clock: list[float]
) -> None:
    assert asks(FakeApi([action() | REFUSED, undecided], [undecided], then))
    assert clock == [0.2, 0.4]


def test_a_job_that_the_action_changed_goes_on() -> None:
    newer = JOB | {"metadata": JOB["metadata"] | {"resourceVersion": "8"}}
    assert not asks(FakeApi([action()], [action() | REFUSED], job=newer))


@pytest.mark.parametrize(
    "job",
    [
        NoSuchName("gone", 404),
        JOB | {"metadata": {"name": "shot", "uid": "another", "resourceVersion": "8"}},
        FORBIDDEN,
    ],
)
def test_a_job_that_is_gone_or_cannot_be_read_has_ended(job: Document | Exception) -> None:
    assert asks(FakeApi([], job=job))


@pytest.mark.parametrize(
    "error", [FORBIDDEN, Answered("log in again", 401), NotInstalled("no such kind", 404)]
)
def test_whoever_cannot_see_actions_waits_for_the_job_alone(error: Exception) -> None:
    assert asks(FakeApi(error))


def test_a_cluster_that_cannot_select_by_job_is_asked_for_all(clock: list[float]) -> None:
    """Kubernetes 1.30 answers so."""
    unknown = Answered("field label not supported: spec.job", 400)
    api = FakeApi(unknown, [action()], unknown, [action(job="other"), action() | REFUSED])
    assert asks(api)
    assert api.asked == [BY_JOB, {}, BY_JOB, {}, "ensojobs"]
    assert clock == [0.2]


def test_a_job_that_is_deleted_while_nobody_decides_has_ended(clock: list[float]) -> None:
    assert asks(FakeApi([action()], job=NoSuchName("gone", 404)), math.inf)
    assert clock == [0.2, 0.4, 0.8, 1.6, 3.2]


def test_an_action_that_nobody_decides_is_told_in_time() -> None:
    told: list[str] = []
    with pytest.raises(NotEnded) as ended:
        asks(FakeApi([action()]), 60, told.append)
    assert str(ended.value) == WAITS
    look = "; one that comes back will: look with kubectl get ensoaction -n shows again"
    assert ended.value.more == look
    assert set(told) == {WAITS + look}


def test_it_is_asked_less_and_less_often(clock: list[float]) -> None:
    with pytest.raises(NotEnded):
        asks(FakeApi([action()]), 22.5, lambda _: None)
    assert clock[:5] == [0.2, 0.4, 0.8, 1.6, 3.2]
    assert clock[5:-1] == [LONGEST_PAUSE_SECONDS] * 3
    assert sum(clock) == pytest.approx(22.5)


def test_an_api_server_that_restarts_is_asked_again() -> None:
    away = NoCluster("the API server does not answer")
    assert asks(FakeApi(away, Answered("not ready", 503), []))
    with pytest.raises(NotEnded, match="nobody has said whether it goes on") as ended:
        asks(FakeApi(away), 60, lambda _: None)
    assert ended.value.more == f": {away}"
