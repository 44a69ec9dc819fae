"""Calls for several jobs, one after the other, some of which fail."""

from __future__ import annotations

import pytest

from enso_operator.cli.jobs.connect import for_each
from enso_operator.kube.workstation.errors import Answered, NoCluster, NoSuchName, NotInstalled
from job_execution_framework.domain.errors import EnsoError, InvalidAction, Unreadable


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (InvalidAction("job b is done"), 1, "job b is done"),
        (Unreadable("the status of job b is none"), 2, "the status of job b is none"),
        (NoSuchName("there is no job 'b'", 404), 2, "there is no job 'b'"),
        (Answered("forbidden", 403), 2, "b: forbidden"),
    ],
)
def test_a_job_that_is_refused_holds_up_no_other(
    error: EnsoError, code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def ask(name: str) -> None:
        asked.append(name)
        if name == "b":
            raise error

    assert for_each(["a", "b", "a", "c"], ask) == [code]
    assert asked == ["a", "b", "c"]
    assert capsys.readouterr().err == f"enso: {message}\n"


def test_who_was_not_asked_is_said_where_nobody_answers(capsys: pytest.CaptureFixture[str]) -> None:
    def ask(name: str) -> None:
        if name != "a":
            raise NoCluster("nobody answers")

    assert for_each("abcd", ask) == [2]
    assert for_each("ab", ask) == [2]
    assert capsys.readouterr().err.splitlines() == [
        "enso: b: nobody answers; not asked: c, d",
        "enso: b: nobody answers",
    ]


def test_a_cluster_without_enso_jobs_is_asked_once() -> None:
    def ask(_name: str) -> None:
        raise NotInstalled("no such resource", 404)

    with pytest.raises(NotInstalled):
        for_each("ab", ask)
