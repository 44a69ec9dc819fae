"""The rules between the fields of an EnsoAction, for what reaches the operator all the same."""

from __future__ import annotations

import pytest

from enso_operator.api.ensoaction import EnsoAction
from enso_operator.api.rules import broken_action_rules
from tests.support.resources import (
    EMPTY,
    Document,
    action,
    change_of_script,
    change_of_session,
)

_TWICE = "remove all but one, or rename them"
BROKEN: list[tuple[Document, str]] = [
    (action("pause", resume=EMPTY), "spec.resume means nothing with verb pause: remove it"),
    (action("retry", pause=EMPTY), "spec.pause means nothing with verb retry: remove it"),
    (
        action("cancel", skip={"script": "open"}),
        "spec.skip means nothing with verb cancel: remove it",
    ),
    (
        action("skip"),
        "spec.skip is not there: name the script to skip, as skip: {script: NAME}",
    ),
    (
        action("resume", resume={"from": "open", "skip": ["open"]}),
        "spec.resume.from is in skip, too: take it out of one of the two",
    ),
    (
        action("resume", resume={"skip": ["open", "open"]}),
        f"spec.resume.skip has open more than once: {_TWICE}",
    ),
    (
        action("resume", resume={"scripts": [{"name": "open"}, {"name": "open"}]}),
        f"spec.resume.scripts has open more than once: {_TWICE}",
    ),
    (
        change_of_script(args={"a": None}, unsetArgs=["a"]),
        (
            "spec.resume.scripts[simulate].unsetArgs has a, which is in args, too: remove one of "
            "the two"
        ),
    ),
    (
        change_of_script(unsetArgs=["a", "a"]),
        f"spec.resume.scripts[simulate].unsetArgs has a more than once: {_TWICE}",
    ),
    (
        action("resume", resume={"sessions": [{"name": "maya"}, {"name": "maya"}]}),
        f"spec.resume.sessions has maya more than once: {_TWICE}",
    ),
    (
        change_of_session(env=[{"name": "A"}]),
        ("spec.resume.sessions[houdini].env[A] has none of value, valueFrom: give it exactly one"),
    ),
    (
        change_of_session(tolerations=[{"value": "a"}]),
        ("spec.resume.sessions[houdini].tolerations[0] has no key: add one, or operator: Exists"),
    ),
]


@pytest.mark.parametrize(("document", "sentence"), BROKEN, ids=[said for _, said in BROKEN])
def test_a_broken_rule_is_one_sentence(document: Document, sentence: str) -> None:
    read = EnsoAction.model_validate(document, extra="forbid")

    assert list(broken_action_rules(read.spec)) == [sentence]


def test_what_a_change_leaves_out_stays_and_what_it_empties_does_not() -> None:
    left_out = EnsoAction.model_validate(change_of_session())
    emptied = EnsoAction.model_validate(change_of_session(env=[], nodeSelector={}))

    assert left_out.spec.resume
    assert left_out.spec.resume.sessions[0].env is None
    assert emptied.spec.resume
    assert emptied.spec.resume.sessions[0].env == []
    assert emptied.spec.resume.sessions[0].node_selector == {}
