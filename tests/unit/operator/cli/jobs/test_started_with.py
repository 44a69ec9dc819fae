"""What is shown of arguments is what a script's latest attempt was started with."""

from __future__ import annotations

from typing import cast

import pytest

from enso_operator.api.document import Document
from enso_operator.cli.jobs.started_with import started_with
from enso_operator.kube.definition_names import definition_name
from enso_operator.kube.workstation.api_server import ApiServer
from enso_operator.kube.workstation.errors import NoSuchName
from tests.support.resources import of_scripts

CHANGES: dict[int, Document] = {
    2: {"scripts": [{"name": "simulate", "args": {"frames": 2}, "unsetArgs": ["old"]}]},
    3: {
        "scripts": [
            {"name": "simulate", "args": {"frames": 3}},
            {"name": "publish", "args": {"to": "b"}},
        ]
    },
}
NAMES = {number: definition_name("shot", "u", number, data) for number, data in CHANGES.items()}
STORED = {NAMES[number]: data for number, data in CHANGES.items()}


class Api:
    def __init__(self, stored: dict[str, Document]) -> None:
        self.stored, self.asked = stored, list[str]()

    def path(self, plural: str, name: str) -> str:
        assert plural == "controllerrevisions"
        return name

    def get(self, name: str) -> Document:
        self.asked.append(name)
        if name not in self.stored:
            raise NoSuchName(f'controllerrevisions.apps "{name}" not found', 404)
        return {"data": self.stored[name]}


def job(attempts: dict[str, int | None], *numbers: int) -> Document:
    """A job of these definitions, and of attempts that were started with some of them."""
    document = of_scripts(
        {"name": "open"},
        {"name": "simulate", "args": {"frames": 1, "old": True}},
        {"name": "publish", "args": {"to": "a"}},
    )
    rows: list[Document] = [
        {"name": name, "attempt": 0} for name in ("open", "simulate", "publish")
    ]
    for row in rows:
        if row["name"] in attempts:
            row |= {"attempt": 1, "definition": attempts[row["name"]]}
    ledger = {"definitions": [{"number": number, "name": NAMES[number]} for number in numbers]}
    document["metadata"]["uid"] = "u"
    return document | {"status": {"scripts": rows, "ledger": ledger}}


def shown(document: Document, stored: dict[str, Document]) -> dict[str, Document | str]:
    return started_with(cast("ApiServer", Api(stored)), document)


FIRST, SECOND = {"frames": 1, "old": True}, {"frames": 2}
THIRD = {"frames": 3, "old": True}


@pytest.mark.parametrize(
    ("attempts", "numbers", "simulate", "publish"),
    [
        ({}, (), FIRST, {"to": "a"}),
        ({"simulate": None}, (2,), FIRST, {"to": "a"}),
        ({"simulate": 2}, (2,), SECOND, {"to": "a"}),
        ({"simulate": 2}, (2, 3), SECOND, {"to": "b"}),
        ({"simulate": 3, "publish": None}, (3,), THIRD, {"to": "a"}),
    ],
)
def test_arguments_are_those_of_the_latest_attempt_or_of_the_next(
    attempts: dict[str, int | None], numbers: tuple[int, ...], simulate: Document, publish: Document
) -> None:
    found = shown(job(attempts, *numbers), STORED)
    assert found == {"open": {}, "simulate": simulate, "publish": publish}


def test_a_job_that_was_not_changed_needs_no_request() -> None:
    api = Api({})
    started_with(cast("ApiServer", api), job({"simulate": None}))
    assert api.asked == []


@pytest.mark.parametrize(
    ("stored", "why"),
    [
        ({}, f'not known: controllerrevisions.apps "{NAMES[2]}" not found'),
        ({NAMES[2]: CHANGES[3]}, f"not known: ControllerRevision {NAMES[2]} was changed"),
    ],
)
def test_what_is_lost_is_not_guessed(stored: dict[str, Document], why: str) -> None:
    found = shown(job({"simulate": 2, "publish": None}, 2), stored)
    assert found == {"open": why, "simulate": why, "publish": {"to": "a"}}
