"""JSON of any depth is read, or refused, without any limit of Python's own being met."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from job_execution_framework.domain import events
from job_execution_framework.domain.errors import InvalidJob, Unreadable
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import LibraryScript, Script, Session
from job_execution_framework.domain.secret import Secret
from job_execution_framework.domain.values import DEEPEST, TOO_DEEP, is_list, is_mapping
from job_execution_framework.service_layer.bounded_json import (
    DEEPEST_DOCUMENT,
    TooDeep,
    cut,
    is_too_deep,
    loads,
    loads_cut,
)
from job_execution_framework.service_layer.plan import Plan
from job_execution_framework.service_layer.records import from_line, to_line

DEPTHS = (600, 1200, 9_000, 200_000)
STRINGS = ('"]}"', r'"\\"', r'"\"[{"', r'"\\\"]"', '""', '"é"', "1", "null")


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def of_depth(depth: int) -> Any:  # noqa: ANN401
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    return value


def random_text(chance: random.Random, depth: int) -> str:
    """Return a document of so many levels, between strings that look like more, or less."""
    text = chance.choice(STRINGS) if depth < DEEPEST_DOCUMENT * 2 else "[]"
    for _ in range(depth):
        beside = chance.choice(STRINGS)
        text = chance.choice(
            (f"[{text}]", f"[{beside}, {text}, {beside}]", f'{{"[\\"": {text}}}', f"[[], {text}]")
        )
    return text


def depth_of(value: object) -> int:
    if is_mapping(value):
        return 1 + max(map(depth_of, value.values()), default=0)
    return 1 + max(map(depth_of, value), default=0) if is_list(value) else 0


@pytest.mark.parametrize("seed", range(40))
def test_whatever_is_not_too_deep_is_read_as_json_reads_it(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  # the same in every run
    text = random_text(chance, chance.choice((0, 1, 5, 60, DEEPEST_DOCUMENT - 1)))
    assert loads(text) == loads(text.encode()) == loads_cut(text) == json.loads(text)
    assert cut(text.encode()) == text.encode()


@pytest.mark.parametrize("seed", range(40))
def test_what_is_too_deep_is_refused_or_cut(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  # the same in every run
    text = random_text(chance, chance.choice((DEEPEST_DOCUMENT + 1, 130, 150)))
    with pytest.raises(TooDeep, match="more than 100 levels deep"):
        loads(text)
    assert depth_of(loads_cut(text)) == DEEPEST_DOCUMENT


@pytest.mark.parametrize("innermost", ["{}", "[]", "[1]", '{"a": "{}"}', '["{}{}"]'])
@pytest.mark.parametrize("level", ["[#]", '{"a":#}', '{"{}":{},"a":#,"b":{}}', '["{",{},#,"}"]'])
def test_empty_objects_do_not_hide_how_deep_it_is(level: str, innermost: str) -> None:
    begin, end = level.split("#")
    for depth in range(DEEPEST_DOCUMENT - 3, DEEPEST_DOCUMENT + 3):
        text = begin * (depth - 1) + innermost + end * (depth - 1)
        assert is_too_deep(text.encode()) == (depth_of(json.loads(text)) > DEEPEST_DOCUMENT)


@pytest.mark.parametrize("depth", DEPTHS)
def test_what_stands_beside_something_too_deep_stays(depth: int) -> None:
    text = f'{{"a": [1, "x]"], "deep": {nested(depth)}, "b": {{"c": [true]}}}}'
    found = loads_cut(text)
    assert depth_of(found.pop("deep")) == DEEPEST_DOCUMENT - 1
    assert found == {"a": [1, "x]"], "b": {"c": [True]}}


@pytest.mark.parametrize("text", ["[" * 5000, "]" * 5000, '{"a": ' * 5000, "[1, 2", '["', "\\" * 9])
def test_what_is_no_json_is_refused_as_that(text: str) -> None:
    for read in (loads, loads_cut):
        with pytest.raises(ValueError):  # noqa: PT011  # each parser's own sentence
            read(text)


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_deep_record_is_none(depth: int) -> None:
    line = f'{{"v": 1, "type": "ScriptSucceeded", "output": {nested(depth)}}}'.encode()
    with pytest.raises(Unreadable, match="levels deep"):
        from_line(line)


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_deep_plan_is_none(depth: int) -> None:
    with pytest.raises(Unreadable, match="levels deep"):
        Plan.from_json(f'{{"v": 1, "scripts": {nested(depth)}}}', {})


def test_a_record_keeps_the_deepest_output() -> None:
    told = events.ScriptSucceeded(
        at=1, script="a", number=1, of=1, attempt=1, output=of_depth(DEEPEST)
    )
    assert from_line(to_line(told)) == told


@pytest.mark.parametrize("depth", [DEEPEST + 1, *DEPTHS])
def test_a_parameter_that_is_too_deep_makes_no_job(depth: int) -> None:
    value = of_depth(depth)
    for given in (value, Secret(value), {"x": [value]}):
        with pytest.raises(InvalidJob, match=f"script 's': parameter 'a' {TOO_DEEP}"):
            job(given)


def test_a_parameter_of_64_levels_does() -> None:
    value = of_depth(DEEPEST)
    assert job(value).scripts[0].parameters == {"a": value}


def test_a_parameter_that_contains_itself_is_too_deep() -> None:
    endless: list[Any] = []
    endless += [endless, endless, {"a": endless}]
    with pytest.raises(InvalidJob, match="more than 64 levels"):
        job(endless)


def job(value: object) -> Job:
    return Job("shot", (Script("s", LibraryScript("s"), {"a": value}),), (Session(),))
