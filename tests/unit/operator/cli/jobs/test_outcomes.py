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


class Told:
    """A follower that tells what a test has put into it."""

    def __init__(self, *told: follow.Seen) -> None:
        self.told = [*told]

    def next(self, _seconds: float) -> follow.Seen | None:
        return self.told.pop(0) if self.told else None


@pytest.mark.parametrize(
    ("told", "ended", "lost"),
    [
        (follow.Deleted(DONE), [DONE], 0),
        (follow.Deleted(FRESH), [], 1),
        (follow.All(({"items": []},)), [], 1),
        (follow.All(({"items": [DONE]},)), [DONE], 0),
        (follow.Deleted(FRESH | {"metadata": {"name": "other"}}), [], 0),
    ],
)
def test_the_last_that_is_seen_of_an_action_counts(
    told: follow.Seen, ended: list[Document], lost: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    api: Any = SimpleNamespace(access=SimpleNamespace(namespace="shows"))
    outcomes = Outcomes(api, {"shot-1": FRESH})
    monkeypatch.setattr(outcomes, "_follower", lambda: Told(told))
    assert [*outcomes.within(0)] == ended
    deleted = [said for said in outcomes.not_known() if "was deleted before it told" in said]
    assert len(deleted) == lost
