"""Kinds that the API server does not serve."""

from __future__ import annotations

import pytest

from enso_operator.controller.missing_kinds import MissingKinds

ACTIONS = frozenset({"ensoactions"})


def test_they_are_told_once_and_looked_for_more_and_more_seldom(
    caplog: pytest.LogCaptureFixture,
) -> None:
    kinds = MissingKinds()
    assert [kinds.pause(ACTIONS) for _ in range(8)] == [5, 10, 20, 40, 80, 160, 300, 300]
    assert caplog.messages == [
        "the API server does not serve ensoactions: install our CRDs, all of them"
    ]


def test_what_is_missing_next_is_told_and_looked_for_soon(caplog: pytest.LogCaptureFixture) -> None:
    kinds = MissingKinds()
    kinds.pause(ACTIONS)
    kinds.pause(ACTIONS)
    assert kinds.pause(ACTIONS | {"ensojobs"}) == 5
    assert kinds.pause(frozenset()) is None
    assert kinds.pause(ACTIONS) == 5
    assert len([one for one in caplog.messages if "does not serve" in one]) == 3


def test_an_operator_without_jobs_looks_for_them_often() -> None:
    kinds = MissingKinds()
    assert {kinds.pause(ACTIONS | {"ensojobs"}) for _ in range(8)} == {5}


def test_nothing_is_told_where_all_are_there(caplog: pytest.LogCaptureFixture) -> None:
    assert MissingKinds().pause(frozenset()) is None
    assert caplog.messages == []
