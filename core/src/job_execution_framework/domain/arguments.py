"""Checks the arguments of a script against its parameters, before anything of the job starts.

`problems` is the one function for it: `enso run`, the HTTP API in memory and the operator all come
through it, and so does whatever else gives arguments. Values have the types of JSON, as they have
come through YAML, which turns some texts into something else: the sentences name that.
"""

from __future__ import annotations

import difflib
import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeGuard

from job_execution_framework.domain import patterns
from job_execution_framework.domain.outputs import LARGEST_INTEGER, OutputOf
from job_execution_framework.domain.parameters import (
    ABSENT,
    LONGEST_SHOWN,
    NOUNS,
    Parameter,
    Parameters,
    Type,
    listed,
    shown,
)
from job_execution_framework.domain.secret import HIDDEN, Secret
from job_execution_framework.domain.values import is_list, is_mapping, is_path, is_same

_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?", re.ASCII)
_UNQUOTED: dict[type, str] = {
    bool: "YAML reads an unquoted yes, no, on or off as true or false",
    int: "YAML reads an unquoted 010 as 8",
    float: "YAML reads an unquoted 1.10 as 1.1",
}
"""What may have become of a text without quotes, by the type that it has now."""
_WORDS = {"true": ("y", "yes", "on", "true"), "false": ("n", "no", "off", "false")}
"""What YAML reads as true and as false, also as the key of a mapping."""


@dataclass(frozen=True)
class ArgumentProblem:
    """Why one argument of a script is not taken, or which one is missing."""

    script: str
    parameter: str
    why: str
    """The end of a sentence that begins with the argument: what was given, what is taken."""
    is_missing: bool = False

    def __str__(self) -> str:
        """Return the whole sentence."""
        return f"script {self.script!r}: argument {self.parameter!r} {self.why}"


def problems(
    script: str, takes: Parameters, arguments: Mapping[str, object]
) -> Iterator[ArgumentProblem]:
    """Yield what is wrong with the arguments of a script, all of it.

    Of a `Secret` and of an output only that it is given is looked at.
    """
    known = {parameter.name: parameter for parameter in takes.listed}
    for parameter in takes.listed:
        if parameter.required and parameter.name not in arguments:
            why = f"is missing: it takes {parameter.takes}"
            yield ArgumentProblem(script, parameter.name, why, is_missing=True)
    for name, value in arguments.items():
        if name in known:
            if why := _why_not(known[name], value):
                yield ArgumentProblem(script, name, why)
        elif not takes.takes_others:
            why = f"is nothing that {script} takes: {_meant(name, [*known])}"
            yield ArgumentProblem(script, name, why)


def misdefined(parameter: Parameter) -> Iterator[str]:
    """Yield why a parameter cannot be meant so, each as the end of a sentence about it."""
    if parameter.pattern and (why := patterns.why_not(parameter.pattern)):
        yield f"has a pattern that {why}"
    if parameter.pattern and parameter.type not in (None, Type.STRING, Type.PATH):
        yield "has a pattern, which only a string or a path can match: remove it"
    is_number = parameter.type in (None, Type.INTEGER, Type.NUMBER)
    if not is_number and (parameter.minimum is not None or parameter.maximum is not None):
        yield "has a minimum or maximum, which only an integer or a number can have: remove it"
    least, most = parameter.minimum, parameter.maximum
    if least is not None and most is not None and least > most:
        yield f"has the minimum {least:.15g} above its maximum {most:.15g}"
    if parameter.access and parameter.type not in (None, Type.PATH):
        yield "has an access, which only a path can have: remove it"
    if parameter.required and parameter.default is not ABSENT:
        yield "is required, yet has a default: remove one of the two"
    if parameter.default is not ABSENT and (why := _why_not(parameter, parameter.default)):
        yield f"has a default that {why}"


def _why_not(parameter: Parameter, value: object) -> str:
    """Return why the parameter does not take this value, or ''."""
    if isinstance(value, (Secret, OutputOf)) or (value is None and parameter.nullable):
        return ""
    given = HIDDEN if parameter.secret else shown(value)
    if parameter.type and not _has_type(parameter.type, value):
        kind = f", {noun}" if (noun := _noun_of(value)) else ""
        advice = _advice(parameter.type, value)
        return f"is {given}{kind}, but takes {parameter.takes}{advice and f': {advice}'}"
    if parameter.type is Type.INTEGER and _is_number(value) and abs(value) > LARGEST_INTEGER:
        return f"is {given}, but takes {parameter.takes}, of at most 64 bits"
    if parameter.enum and not any(_is_equal(value, taken) for taken in parameter.enum):
        texts = [taken for taken in parameter.enum if isinstance(taken, str)]
        near = difflib.get_close_matches(str(value)[:LONGEST_SHOWN], texts, n=1)
        meant = f": did you mean {shown(near[0])}?" if near else ""
        return f"is {given}, but takes {parameter.takes}{meant}"
    if _is_number(value) and not _is_in_range(parameter, value):
        return f"is {given}, but takes {parameter.takes}"
    text = os.fspath(value) if is_path(value) else value
    return _mismatch(parameter, text, given) if isinstance(text, str) else ""


def _mismatch(parameter: Parameter, text: str, given: str) -> str:
    """Return why a text is not taken, though it has the right type."""
    if parameter.type is Type.PATH and (not text or "\0" in text):
        return f"is {given}, but takes a path: a path is not empty and holds no NUL"
    if not parameter.pattern or patterns.why_not(parameter.pattern):  # that is told elsewhere
        return ""
    pattern = patterns.compiled(parameter.pattern)
    if pattern.is_too_long(text):
        return f"has {len(text)} characters, too many to match them with {parameter.pattern}"
    return "" if pattern.is_whole(text) else f"is {given}, but takes {parameter.takes}"


def _has_type(kind: Type, value: object) -> bool:
    if kind is Type.BOOLEAN:
        return isinstance(value, bool)
    if kind in (Type.INTEGER, Type.NUMBER):
        return _is_number(value) and (kind is Type.NUMBER or value == math.floor(value))
    if kind is Type.LIST:
        return is_list(value)
    if kind is Type.OBJECT:
        return is_mapping(value)
    return isinstance(value, str) or (kind is Type.PATH and is_path(value))


def _is_number(value: object) -> TypeGuard[int | float]:
    if isinstance(value, float):
        return math.isfinite(value)  # JSON has no other
    return isinstance(value, int) and not isinstance(value, bool)


def _is_in_range(parameter: Parameter, value: float) -> bool:
    least, most = parameter.minimum, parameter.maximum
    return (least is None or value >= least) and (most is None or value <= most)


def _is_equal(given: object, taken: object) -> bool:
    """Whether two values are the same JSON; 1.0 arrives as 1 over an API server."""
    if _is_number(given) and _is_number(taken):
        return given == taken
    return is_same(given, taken)


def _noun_of(value: object) -> str:
    """Return which type a value has; nothing where that is plain to see, as of null."""
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, float) and not math.isfinite(value):
        return "which JSON does not have"
    for kind, is_one in (
        (Type.INTEGER, isinstance(value, int)),
        (Type.NUMBER, isinstance(value, float)),
        (Type.STRING, isinstance(value, str)),
        (Type.LIST, is_list(value)),
        (Type.OBJECT, is_mapping(value)),
    ):
        if is_one:
            return NOUNS[kind]
    return ""


def _advice(kind: Type, value: object) -> str:
    """Return what to do about a value of the wrong type; the traps of YAML are named."""
    if value is None:
        return "YAML reads an empty value, ~ and null as null: write a value, or leave it out"
    if kind in (Type.STRING, Type.PATH) and type(value) in _UNQUOTED:
        return f"put it in quotes, as {_UNQUOTED[type(value)]}"
    if kind is Type.BOOLEAN and isinstance(value, (str, int)):
        return "write true or false, without quotes"
    if kind in (Type.INTEGER, Type.NUMBER) and isinstance(value, str):
        return "write it without quotes" if _NUMBER.fullmatch(value.strip()) else ""
    if kind is Type.LIST and isinstance(value, (str, int, float)):
        return f"write [{shown(value)}]"
    return ""


def _meant(name: str, known: list[str]) -> str:
    """Return what an unknown argument may be meant for."""
    if words := [word for word in _WORDS.get(name.lower(), ()) if word in known]:
        return f"YAML reads an unquoted key {words[0]} as {name.lower()}: put it in quotes"
    if near := difflib.get_close_matches(name, known, n=1):
        return f"did you mean {near[0]!r}?"
    return f"it takes {listed(known)}" if known else "it takes no arguments"
