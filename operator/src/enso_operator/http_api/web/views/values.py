"""Arguments and outputs as people read them: some of a long value at once, and a way to the rest.

What a job keeps of the arguments of an attempt is cut (`domain.secret`). The whole is in the job's
definition, as long as no resume has changed it, and has an address of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from job_execution_framework.domain.outputs import OutputOf, references
from job_execution_framework.domain.script import Script
from job_execution_framework.domain.secret import LONGEST_STRING, Secret, shown
from job_execution_framework.domain.values import is_list, is_mapping

LONGEST_LINE = 80
"""Characters of a value of several parts that is written on one line."""
LONGEST_AT_ONCE, MOST_LINES = 400, 10
"""Characters and lines of a value that are shown at once; the rest is folded."""
MORE = "…"
"""The name under which `domain.secret` says how many arguments it left out."""


@dataclass(frozen=True)
class Whole:
    """The whole of what is cut."""

    what: str
    """What the link to it says."""
    parts: Mapping[str, str] = field(default_factory=dict[str, str])
    """What the address has, beside the script: the argument, where it is one."""


@dataclass(frozen=True)
class Named:
    """A value with its name."""

    name: str
    text: str
    """As it was written, where it is a text; else as JSON."""
    is_text: bool
    taken: OutputOf | None = None
    """The output that it is, where it is one of another script."""
    rest: str = ""
    """What comes behind the text, and is folded."""
    whole: Whole | None = None
    """Where it is cut, and the job still has the whole."""
    is_default: bool = False
    """Nobody has given it: the script takes it by itself."""


def written(value: object) -> str:
    """Return a value as a person would write it."""
    if isinstance(value, str):
        return value
    text = json.dumps(value, ensure_ascii=False, default=repr)
    is_long = len(text) > LONGEST_LINE and (is_mapping(value) or is_list(value))
    return json.dumps(value, ensure_ascii=False, default=repr, indent=2) if is_long else text


def named(values: Mapping[str, object], script: Script | None = None) -> tuple[Named, ...]:
    """Return values in their order; with `script` they are its arguments."""
    defined: Mapping[str, object] = script.parameters if script else {}
    taken = references(defined)
    return tuple(
        _value(str(name), value, defined, taken.get(name)) for name, value in values.items()
    )


def one(value: object) -> Named:
    """Return a value without a name."""
    return _value("", value, {}, None)


def uncut(value: object) -> object:
    """Return what is defined as JSON: secrets are hidden, and outputs of others named."""
    if isinstance(value, (Secret, OutputOf)):
        return repr(value)
    if is_mapping(value):
        return {str(key): uncut(item) for key, item in value.items()}
    return [uncut(item) for item in value] if is_list(value) else value


def _value(
    name: str, value: object, defined: Mapping[str, object], taken: OutputOf | None
) -> Named:
    text, whole = written(value), None if taken else _whole(name, value, defined)
    if whole and whole.parts and isinstance(value, str):
        text = text[:LONGEST_STRING] + "…"  # its length stands in the link
    begin, rest = _folded(text)
    return Named(name, begin, isinstance(value, str), taken, rest, whole)


def _whole(name: str, value: object, defined: Mapping[str, object]) -> Whole | None:
    if name == MORE and MORE not in defined:
        return Whole("all arguments") if shown(defined).get(MORE) == value else None
    if name not in defined:
        return None
    own = uncut(defined[name])
    if own == value or shown({name: defined[name]})[name] != value:
        return None  # it is the whole; or it is not the one that is defined now
    text = own if isinstance(own, str) else json.dumps(own, ensure_ascii=False)
    return Whole(f"all {len(text):,} characters", {"argument": name})


def _folded(text: str) -> tuple[str, str]:
    """Return what of a text is shown at once, and the rest."""
    end = LONGEST_AT_ONCE
    lines = text.split("\n", MOST_LINES)
    if len(lines) > MOST_LINES:
        end = min(end, len(text) - len(lines[-1]))
    return (text[:end], text[end:]) if len(text) > end + LONGEST_LINE else (text, "")
