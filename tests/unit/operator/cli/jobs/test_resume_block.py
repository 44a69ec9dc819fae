"""What `enso resume` asks for, by its options and a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from enso_operator.cli.jobs.resume import Changes
from job_execution_framework.domain.errors import InvalidAction


def test_nothing_is_asked_for_that_was_not_typed() -> None:
    assert Changes().block() == {}


def test_options_are_added_to_what_a_file_says(tmp_path: Path) -> None:
    file = tmp_path / "more.json"
    file.write_text('{"skip": ["a"], "scripts": [{"name": "b", "args": {"x": 1, "y": 2}}]}')
    changes = Changes("a", ("c",), ("b.x=null", 'd.text="a.b=c"'), ("b.z", "e.f.g"), file)
    assert changes.block() == {
        "from": "a",
        "skip": ["a", "c"],
        "scripts": [
            {"name": "b", "args": {"x": None, "y": 2}, "unsetArgs": ["z"]},
            {"name": "d", "args": {"text": "a.b=c"}},
            {"name": "e", "unsetArgs": ["f.g"]},
        ],
    }


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (Changes(arguments=("simulate=4",)), "write it as SCRIPT.PARAMETER=JSON"),
        (Changes(arguments=("simulate.a=b",)), """--set 'simulate.a="b"'"""),
        (Changes(without=("simulate",)), "--unset simulate: write it as SCRIPT.PARAMETER"),
        (Changes(without=("simulate.a=1",)), "write it as SCRIPT.PARAMETER"),
    ],
)
def test_what_cannot_be_read_is_said(changes: Changes, sentence: str) -> None:
    with pytest.raises(InvalidAction) as refused:
        changes.block()
    assert sentence in str(refused.value)


@pytest.mark.parametrize("text", ["[]", "scripts: 5", "scripts: [simulate]", "", "a: [", "on: 1"])
def test_a_file_that_holds_no_changes_is_refused_by_its_name(tmp_path: Path, text: str) -> None:
    file = tmp_path / "more.yaml"
    file.write_text(text)
    with pytest.raises(InvalidAction, match=r"more\.yaml: "):
        Changes(file=file).block()
    with pytest.raises(InvalidAction, match="there is no such file"):
        Changes(file=tmp_path / "none").block()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("skip: open", "skip must be a list"),
        ("scripts: [{name: a, args: 5}]", r"scripts\[a\].args must be a mapping"),
        ("scripts: [{unsetArgs: 5}]", r"scripts\[0\].unsetArgs must be a list"),
        ("scripts: [{name: a, unsetArgs: xy}]", r"scripts\[a\].unsetArgs must be a list"),
    ],
)
def test_options_are_not_added_to_fields_of_another_type(
    tmp_path: Path, text: str, sentence: str
) -> None:
    file = tmp_path / "more.yaml"
    file.write_text(text)
    with pytest.raises(InvalidAction, match=rf"more\.yaml: {sentence}"):
        Changes("", ("b",), ("a.x=1",), ("a.y",), file).block()
