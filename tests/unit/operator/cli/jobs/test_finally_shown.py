"""How commands about jobs show finally scripts: behind the others, and counted apart."""

from __future__ import annotations

from datetime import UTC, datetime

from enso_operator.cli.jobs import scripts
from enso_operator.cli.jobs.table import Screen
from tests.support.resources import Document, of_scripts

FINALLY = {"finally": [{"name": "clean", "source": "x"}, {"name": "tell", "source": "x"}]}


def test_they_stand_behind_the_others_with_numbers_of_their_own() -> None:
    document: Document = of_scripts({"name": "open"}, {"name": "save"}, **FINALLY)
    assert scripts.places(scripts.rows(document)) == [
        "1 of 2",
        "2 of 2",
        "finally, 1 of 2",
        "finally, 2 of 2",
    ]
    lines = scripts.rendered(document, datetime.now(UTC), Screen())
    assert [line.split()[0] for line in lines[1:]] == ["1", "2", "f1", "f2"]
    assert "0 of 2 scripts done" in scripts.headline(document, Screen())


def test_a_status_alone_tells_which_they_are() -> None:
    rows = [
        {"name": "save", "state": "Failed", "attempt": 1},
        {"name": "clean", "state": "Running", "attempt": 1, "final": True},
    ]
    document: Document = {"metadata": {"name": "shot"}, "spec": {}, "status": {"scripts": rows}}
    assert scripts.places(scripts.rows(document)) == ["1 of 1", "finally, 1 of 1"]
