"""Arguments against parameters: each problem says what was given and what is taken."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from job_execution_framework.domain.arguments import misdefined, problems
from job_execution_framework.domain.parameters import Parameter, Parameters, Type
from job_execution_framework.domain.secret import Secret

STRING = Parameter("it", Type.STRING)
INTEGER = Parameter("it", Type.INTEGER)
QUALITY = Parameter("it", Type.STRING, enum=("draft", "final"))


def said(takes: Parameters, arguments: Mapping[str, object]) -> list[str]:
    return [str(problem) for problem in problems("simulate", takes, arguments)]


def why(parameter: Parameter, value: object) -> str:
    (sentence,) = said(Parameters((parameter,)), {"it": value})
    return sentence.removeprefix("script 'simulate': argument 'it' ")


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        (Parameter("it"), object()),
        (Parameter("it"), None),
        (STRING, "010"),
        (STRING, Secret(8)),
        (INTEGER, 24),
        (INTEGER, 24.0),  # what a YAML file has; over the API server it arrives as 24
        (INTEGER, 2**63 - 1),
        (Parameter("it", Type.INTEGER, nullable=True), None),
        (Parameter("it", Type.NUMBER, minimum=0.5, maximum=2), 0.5),
        (Parameter("it", Type.NUMBER), 3),
        (Parameter("it", Type.BOOLEAN), False),
        (Parameter("it", Type.PATH), "/shots/010"),
        (Parameter("it", Type.PATH), Path("shots")),  # in process it may be one
        (Parameter("it", Type.LIST), (1, "a")),
        (Parameter("it", Type.OBJECT), {"a": 1}),
        (QUALITY, "draft"),
        (Parameter("it", enum=(1, None)), 1.0),
        (Parameter("it", Type.STRING, pattern="[0-9]{3}"), "010"),
        (Parameter("it", Type.STRING, pattern="^[0-9]{3}$"), "010"),
    ],
)
def test_what_is_taken(parameter: Parameter, value: object) -> None:
    assert said(Parameters((parameter,)), {"it": value}) == []


@pytest.mark.parametrize(
    ("parameter", "value", "sentence"),
    [
        (INTEGER, "240", 'is "240", a string, but takes an integer: write it without quotes'),
        (INTEGER, "all", 'is "all", a string, but takes an integer'),
        (INTEGER, 1.5, "is 1.5, a number, but takes an integer"),
        (INTEGER, math.inf, "is Infinity, which JSON does not have, but takes an integer"),
        (INTEGER, True, "is true, a boolean, but takes an integer"),
        (Parameter("it", Type.NUMBER), math.nan, "is NaN, which JSON does not have, but takes a"),
        (Parameter("it", Type.INTEGER, minimum=1), 0, "is 0, but takes an integer of at least 1"),
        (
            Parameter("it", Type.INTEGER, minimum=1, maximum=1_000_000),
            2_000_000,
            "is 2000000, but takes an integer from 1 to 1000000",
        ),
        (Parameter("it", Type.NUMBER, maximum=0.5), 1, "is 1, but takes a number of at most 0.5"),
        (
            QUALITY,
            "drfat",
            'is "drfat", but takes "draft" or "final": did you mean "draft"?',
        ),
        (Parameter("it", enum=(0, "a", None)), False, 'is false, but takes one of 0, "a", null'),
        (
            Parameter("it", Type.LIST),
            "a",
            'is "a", a string, but takes a list: write ["a"]',
        ),
        (Parameter("it", Type.OBJECT), [], "is [], a list, but takes a mapping"),
        (Parameter("it", Type.PATH), "", 'is "", but takes a path: a path is not empty'),
        (
            Parameter("it", Type.STRING, pattern="[0-9]{3}"),
            "0100",  # the whole of it counts
            'is "0100", but takes a string that matches [0-9]{3}',
        ),
        (
            Parameter("it", Type.STRING, pattern="a*"),
            "a" * 4097,
            "has 4097 characters, too many to match them with a*",
        ),
        (
            Parameter("it", Type.INTEGER, nullable=True),
            "x",
            'is "x", a string, but takes an integer, or null',
        ),
        (Parameter("it", Type.INTEGER, secret=True), "hunter2", "is ***, a string, but takes an"),
        (INTEGER, ["a", Secret("hunter2")], "is ***, a list, but takes an integer"),
        (INTEGER, {1, 2}, "is an object of the type set, but takes an integer"),
    ],
)
def test_what_is_not_taken(parameter: Parameter, value: object, sentence: str) -> None:
    assert why(parameter, value).startswith(sentence)


@pytest.mark.parametrize(
    ("kind", "value", "trap"),
    [
        (
            Type.STRING,
            8,
            "is 8, an integer, but takes a string: put it in quotes, as YAML reads an",
        ),
        (Type.PATH, 1.1, "put it in quotes, as YAML reads an unquoted 1.10 as 1.1"),
        (Type.STRING, False, "YAML reads an unquoted yes, no, on or off as true or false"),
        (
            Type.STRING,
            None,
            "is null, but takes a string: YAML reads an empty value, ~ and null as",
        ),
        (Type.BOOLEAN, "yes", "write true or false, without quotes"),
        (Type.BOOLEAN, 0, "write true or false, without quotes"),
    ],
)
def test_what_yaml_made_of_a_value_is_named(kind: Type, value: object, trap: str) -> None:
    assert trap in why(Parameter("it", kind), value)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("substep", "did you mean 'substeps'?"),
        ("true", "YAML reads an unquoted key y as true: put it in quotes"),
        ("False", "YAML reads an unquoted key off as false: put it in quotes"),
        ("nothing", "it takes substeps, y, off"),
    ],
)
def test_an_unknown_name_is_told_what_it_may_be_meant_for(given: str, sentence: str) -> None:
    takes = Parameters(tuple(Parameter(name) for name in ("substeps", "y", "off")))
    (found,) = said(takes, {given: 1})
    assert (
        found == f"script 'simulate': argument {given!r} is nothing that simulate takes: {sentence}"
    )
    assert said(Parameters(takes.listed, takes_others=True), {given: 1}) == []


def test_all_problems_are_told_at_once() -> None:
    frames = Parameter("frames", Type.INTEGER, required=True, minimum=1)
    takes = Parameters((frames, STRING, Parameter("token", Type.STRING, required=True)))
    assert said(takes, {"it": 8, "token": Secret("of a later time"), "frame": 3}) == [
        "script 'simulate': argument 'frames' is missing: it takes an integer of at least 1",
        (
            "script 'simulate': argument 'it' is 8, an integer, but takes a string: put it in "
            "quotes, as YAML reads an unquoted 010 as 8"
        ),
        (
            "script 'simulate': argument 'frame' is nothing that simulate takes: did you mean "
            "'frames'?"
        ),
    ]


def test_a_long_value_is_cut() -> None:
    assert len(why(INTEGER, "x" * 100_000)) < 200
    assert len(why(QUALITY, "x" * 100_000)) < 200


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"type": Type.STRING, "pattern": "("}, "has a pattern that is no regular expression"),
        ({"type": Type.INTEGER, "pattern": "a"}, "has a pattern, which only a string or a path"),
        ({"type": Type.STRING, "minimum": 1}, "has a minimum or maximum, which only an integer"),
        ({"minimum": 2, "maximum": 1}, "has the minimum 2 above its maximum 1"),
        ({"type": Type.STRING, "access": "read"}, "has an access, which only a path can have"),
        ({"required": True, "default": 1}, "is required, yet has a default"),
        ({"type": Type.INTEGER, "default": "1"}, 'has a default that is "1", a string, but takes'),
        ({"type": Type.PATH, "access": "read", "default": "/x", "pattern": "/.*"}, ""),
    ],
)
def test_a_parameter_that_cannot_be_meant_so(fields: dict[str, Any], sentence: str) -> None:
    found = list(misdefined(Parameter("it", **fields)))
    assert len(found) == bool(sentence)
    assert "".join(found).startswith(sentence)
