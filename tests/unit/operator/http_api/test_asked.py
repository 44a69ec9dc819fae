"""What people asked of an EnsoJob, read from its EnsoActions."""

from __future__ import annotations

from typing import Any

import pytest

from enso_operator.http_api.asked import AskedAction, asked_in
from enso_operator.kube.ensoaction import EnsoActionObject
from tests.support.resources import action
from tests.support.statuses import REFUSED_ACTION


def asked(verb: str = "cancel", created: str = "2026-11-28T12:00:00Z", **spec: Any) -> Any:  # noqa: ANN401
    document = action(verb, **spec)
    document["metadata"] |= {"creationTimestamp": created, "uid": "u", "namespace": "shows"}
    return document


@pytest.mark.parametrize(
    ("verb", "block", "what"),
    [
        ("resume", {}, "resume"),
        ("resume", {"from": "bake"}, "resume from bake"),
        ("resume", {"skip": ["bake", "tell"]}, "resume, skipping bake, tell"),
        (
            "resume",
            {"scripts": [{"name": "bake", "args": {"a": 1}}], "sessions": [{"name": "main"}]},
            "resume",
        ),
        ("pause", {"after": "bake"}, "pause after bake"),
        ("skip", {"script": "bake"}, "skip bake"),
        ("later", {"of": "a newer release"}, "later"),
    ],
)
def test_what_was_asked_is_told_in_words(verb: str, block: dict[str, Any], what: str) -> None:
    document = asked(verb)
    document["spec"] |= {verb: block} if block else {}
    (told,) = asked_in([EnsoActionObject(document)], "uid-1")
    assert (told.what, told.outcome, told.is_refused) == (what, "", False)


def test_the_latest_is_first_and_those_of_an_earlier_job_of_the_name_are_not_its_own() -> None:
    documents = [
        asked(created="2026-11-28T12:00:01Z", by="ann", why="a typo"),
        asked(created="2026-11-28T12:00:03Z", jobUID="uid-1") | {"status": REFUSED_ACTION},
        asked(created="2026-11-28T12:00:02Z", jobUID="uid-0"),
    ]
    refused, first = asked_in([*map(EnsoActionObject, documents)], "uid-1")
    assert first == AskedAction(first.at, "cancel", "ann", "a typo")
    assert refused.is_refused
    assert refused.outcome
    assert refused.at == first.at + 2
