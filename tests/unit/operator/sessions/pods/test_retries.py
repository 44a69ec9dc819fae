"""Calls about a Pod that do not work now: they hold up nothing, and are told where that lasts."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from enso_operator.coordinator import obstacles
from enso_operator.kube.client import Forbidden
from enso_operator.sessions.pods.follower import STILL_RUNS
from job_execution_framework.domain.control import CANCEL
from job_execution_framework.domain.errors import EnsoError, Unavailable
from job_execution_framework.service_layer.observations import Ended
from job_execution_framework.service_layer.records import End
from tests.support.followed import Node, follow, line, started
from tests.support.pods import RUNNING, Document, pod


@dataclass
class Away(Node):
    """A node whose API server refuses some calls."""

    errors: list[EnsoError] = field(
        default_factory=lambda: [
            Forbidden("you cannot do this"),
            Unavailable("the API server answered 500"),
        ]
    )


def test_a_pod_that_cannot_be_looked_at_is_looked_at_again() -> None:
    class Unseen(Away):
        def get(self, name: str) -> Document | None:
            if self.errors:
                raise self.errors.pop()
            return super().get(name)

    node = Unseen([pod(session=RUNNING)], [[line(started("open", 1)), line(End())]])
    node.errors = [Unavailable("the API server answered 500")] * 2
    followed = follow(node)
    assert followed.ended == Ended(log_is_complete=True)
    assert not node.errors
    assert not any(location.waits for location in followed.locations)  # it did not last


def test_a_pod_that_cannot_be_ended_is_told_and_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(obstacles, "PATIENCE_SECONDS", 0)

    class Stuck(Away):
        def give_up(self, pod: Document) -> bool:
            if self.errors:
                raise self.errors.pop()
            self.states = [None]
            return super().give_up(pod)

    node = Stuck([pod(scheduled=False)])
    followed = follow(node, control=CANCEL)
    assert followed.ended == Ended(log_is_complete=True)
    assert node.given_up == 1
    assert [str(location.waits) for location in followed.locations if location.waits] == [
        "Unavailable: the API server answered 500",
        "Unavailable: you cannot do this",
    ]


def test_the_end_of_what_runs_in_a_pod_that_vanished_is_waited_for_and_told() -> None:
    followed = follow(Node([pod(session=RUNNING), None]), settle=0.5)
    waits = [str(location.waits) for location in followed.locations if location.is_gone]
    assert waits[0] == f"SessionLost: {STILL_RUNS}"
