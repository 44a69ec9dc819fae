"""Which lines `enso logs` shows, and what it says where there are none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from enso_operator.cli.jobs import follow, logs
from enso_operator.cli.jobs.logs import LogFilter, LogFollower, in_order, why_no_output
from enso_operator.kube.workstation.errors import Answered
from job_execution_framework.runtime.child_runner import mark
from tests.support.pods import ended, pod
from tests.support.resources import Document, of_scripts
from tests.support.statuses import EARLY, FAILED_JOB, condition

LOG = [
    "licence found\n",
    mark("open", 1),
    "opened\n",
    mark("simulate", 1),
    "frame 1\n",
    mark("simulate", 2),
    "--- simulate, attempt two\n",
    "frame 1 again\n",
]


def job(status: Document) -> dict[str, Any]:
    document = of_scripts({"name": "open"}) | {"status": status}
    document["metadata"] |= {"namespace": "shows", "uid": "0c9f", "resourceVersion": "1"}
    return document


@pytest.mark.parametrize(
    ("log_filter", "expected"),
    [
        (LogFilter(), LOG),
        (LogFilter("open"), LOG[1:3]),
        (LogFilter("simulate"), LOG[3:]),
        (LogFilter("simulate", 2), LOG[5:]),
        (LogFilter("", 2), LOG[5:]),
        (LogFilter("simulate", 3), []),
    ],
)
def test_only_what_is_asked_for_is_shown(
    log_filter: LogFilter, expected: list[str], capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    log_filter.begin()
    for line in LOG:
        log_filter.show(line.encode())
    assert capfdbinary.readouterr().out.decode() == "".join(expected)
    assert log_filter.has_shown == bool(expected)


def test_the_next_pods_log_begins_with_no_script() -> None:
    log_filter = LogFilter("open")
    log_filter.show(mark("open", 1).encode())
    assert log_filter.is_selected
    log_filter.begin()
    assert not log_filter.is_selected


def test_pods_are_read_in_the_order_in_which_they_were_made() -> None:
    pods = [pod(session={"running": {}} if begun else {"waiting": {}}) for begun in (1, 1, 0)]
    for number, each in enumerate(pods):
        each["metadata"] |= {"name": str(number), "creationTimestamp": f"2026-11-2{9 - number}"}
        each["status"]["containerStatuses"][0]["restartCount"] = int(number < 2)
    assert [found["metadata"]["name"] for found in in_order(pods)] == ["1", "0"]


class WithoutNode:
    """An API server whose job has ended, and which cannot reach its Pod's node any more."""

    def __init__(self) -> None:
        self.pod = pod(session=ended())
        self.pod["metadata"]["creationTimestamp"] = EARLY
        self.tries = 0

    def path(self, plural: str, _name: str = "") -> str:
        return plural

    def get(self, path: str) -> Document:
        return {"pods": self.pod, "ensojobs": job(FAILED_JOB)}[path]

    def pages(self, path: str, _query: object) -> list[Document]:
        return [{"items": {"pods": [self.pod], "ensoactions": []}[path]}]

    def lines(self, _path: str, _query: object, *, accept: str) -> Iterator[bytes]:
        assert accept == "*/*"
        self.tries += 1
        raise Answered("the API server answers 500: no route to host", 500)


class NoEvents:
    """A follower to which nothing is told."""

    def __init__(self, _api: object, *, has_answered: bool) -> None:
        assert has_answered

    def follow(self, path: str, query: object) -> None: ...


def test_a_log_whose_node_is_lost_is_given_up_after_the_jobs_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(follow, "Follower", NoEvents)
    monkeypatch.setattr(logs, "_PAUSE_SECONDS", 0.0)
    api: Any = WithoutNode()
    assert LogFollower(api, job(FAILED_JOB), LogFilter()).until_it_ends() == 1
    assert api.tries == 30
    assert capsys.readouterr().err.splitlines()[:2] == [
        "enso: the API server answers 500: no route to host; trying again",
        "enso: the log of Pod shot-main-1-abcde cannot be read",
    ]


def test_where_the_output_is() -> None:
    waiting = {"conditions": [condition("Succeeded", "Unknown", "Waiting", "no image")]}
    sentence = why_no_output(job(waiting), LogFilter())
    assert sentence == "nothing of shot has run yet; shot: Waiting, 0 of 1 scripts done; no image"
    gone = why_no_output(job(FAILED_JOB), LogFilter())
    assert "shot has no Pods: what they wrote went with them" in gone
    assert "in CLUSTER/shows/0c9f/houdini-2/output.log" in gone
    local = FAILED_JOB | {"why": [*FAILED_JOB["why"], "log     /state/farm/main-1/output.log"]}
    assert why_no_output(job(local), LogFilter()) == (
        "shot ran beside the operator, which keeps what it wrote in /state/farm/main-1/output.log"
    )
    assert why_no_output(job(FAILED_JOB), LogFilter("open", 2)) == (
        "what open, attempt 2 of shot wrote is not there: it has not run, or its Pod is gone"
    )
