"""What is read of actions that are deleted while somebody waits for them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from enso_operator.cli.jobs import follow
from enso_operator.cli.jobs.outcomes import Outcomes
from tests.support.resources import Document
from tests.support.statuses import condition

FRESH: Document = {"metadata": {"name": "shot-1"}, "spec": {"job": "shot"}}
DONE: Document = FRESH | {"status": {"conditions": [condition("Finished", "True", "Done", "done")]}}


class FakeFollower:
    """A follower with the events of a test."""

    def __init__(self, *events: follow.WatchEvent) -> None:
        self.events = [*events]

    def next(self, _seconds: float) -> follow.WatchEvent | None:
        return self.events.pop(0) if self.events else None


@pytest.mark.parametrize(
    ("event", "finished", "deleted"),
    [
        (follow.Deleted(DONE), [DONE], 0),
        (follow.Deleted(FRESH), [], 1),
        (follow.FullList(({"items": []},)), [], 1),
        (follow.FullList(({"items": [DONE]},)), [DONE], 0),
        (follow.Deleted(FRESH | {"metadata": {"name": "other"}}), [], 0),
    ],
)
def test_the_last_that_is_seen_of_an_action_counts(
    event: follow.WatchEvent,
    finished: list[Document],
    deleted: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    api: Any = SimpleNamespace(access=SimpleNamespace(namespace="shows"))
    outcomes = Outcomes(api, {"shot-1": FRESH})
    monkeypatch.setattr(outcomes, "_follower", lambda: FakeFollower(event))
    assert [*outcomes.within(0)] == finished
    sentences = [*outcomes.unknown_outcomes()]
    assert len([each for each in sentences if "was deleted before it told" in each]) == deleted
