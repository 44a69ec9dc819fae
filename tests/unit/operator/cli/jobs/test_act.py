"""How an action is created once, and for whom; the API server's part is in tests/cluster."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from enso_operator.cli.jobs import act
from enso_operator.cli.jobs.act import ActionTemplate, action_for, caller, create_once
from enso_operator.kube.workstation.api_server import ApiServer
from enso_operator.kube.workstation.errors import Answered, NoCluster
from tests.support.resources import Document, of_scripts

ACTION: Document = {"metadata": {"name": "shot-1"}}


class Answers:
    """An API server that answers each POST with what a test tells it to."""

    def __init__(self, *answers: Document | Exception) -> None:
        self.answers = [*answers]
        self.posted: list[Document] = []
        self.access = SimpleNamespace(namespace="shows")

    def path(self, plural: str, name: str = "") -> str:
        return f"{plural}/{name}"

    def create(self, _path: str, document: Document) -> Document:
        self.posted.append(document)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def get(self, path: str) -> Document:
        _, _, name = path.partition("/")
        return {"got": path, "metadata": {"name": name, "uid": "0c9f"}}


def answers(*answers: Document | Exception) -> tuple[Answers, ApiServer]:
    api = Answers(*answers)
    return api, cast("ApiServer", api)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(act, "PAUSES_SECONDS", (0, 0))


@pytest.mark.parametrize("lost", [NoCluster("it does not answer"), Answered("timeout", 504)])
def test_an_action_whose_answer_was_lost_is_asked_for_again_by_its_name(lost: Exception) -> None:
    server, api = answers(lost, {"made": True})
    assert create_once(api, ACTION) == {"made": True}
    assert server.posted == [ACTION, ACTION]
    _, api = answers(lost, Answered("it exists", 409))
    assert create_once(api, ACTION)["got"] == "ensoactions/shot-1"


@pytest.mark.parametrize(
    ("refusals", "sentence"),
    [
        ([Answered("spec.why is too long", 422)], "spec.why is too long"),
        ([Answered("it exists", 409)], "it exists"),
        ([NoCluster("gone")] * 3, "gone"),
    ],
)
def test_what_does_not_help_is_not_tried_again(refusals: list[Exception], sentence: str) -> None:
    server, api = answers(*refusals)
    with pytest.raises((Answered, NoCluster), match=sentence):
        create_once(api, ACTION)
    assert len(server.posted) == len(refusals)


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        ({"status": {"userInfo": {"username": "ann"}}}, "ann"),
        ({"status": {"userInfo": {"username": "a" * 513}}}, ""),
        ({"status": {"userInfo": {"username": "a\nb"}}}, ""),
        (Answered("there is no such resource", 404), ""),
    ],
)
def test_who_asks_is_what_the_api_server_says(answer: Document | Exception, name: str) -> None:
    assert caller(answers(answer)[1]) == name


def test_an_action_has_nothing_that_was_not_asked_for() -> None:
    document: dict[str, Any] = of_scripts({})
    document["metadata"] |= {"name": "n" * 52, "uid": "0c9f"}
    first, second = (action_for(document, ActionTemplate("retry"), "") for _ in range(2))
    assert first["spec"] == {"job": "n" * 52, "jobUID": "0c9f", "verb": "retry"}
    names = {action["metadata"]["name"] for action in (first, second)}
    assert len(names) == 2
    assert max(map(len, names)) <= 63


def test_jobs_are_asked_though_the_api_server_refuses_it_of_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    who: Document = {"status": {"userInfo": {"username": "ann"}}}
    server, api = answers(who, Answered("over quota", 403), Answered("spec.why is long", 422))
    assert act.act(api, ["first", "second"], ActionTemplate("cancel"), "1s", None) == 2
    assert [action["spec"]["job"] for action in server.posted[1:]] == ["first", "second"]
    assert capsys.readouterr().err.splitlines() == [
        "enso: first: over quota",
        "enso: second: spec.why is long",
    ]
