"""Arguments and outputs as people read them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from job_execution_framework.domain.outputs import OutputOf, references
from job_execution_framework.domain.script import Script
from job_execution_framework.domain.values import is_list, is_mapping

LONGEST_LINE = 80
"""Characters of a value of several parts that is written on one line."""


@dataclass(frozen=True)
class Named:
    """A value with its name."""

    name: str
    text: str
    """As it was written, where it is a text; else as JSON."""
    is_text: bool
    taken: OutputOf | None = None
    """The output that it is, where it is one of another script."""


def written(value: object) -> str:
    """Return a value as a person would write it."""
    if isinstance(value, str):
        return value
    text = json.dumps(value, ensure_ascii=False, default=repr)
    is_long = len(text) > LONGEST_LINE and (is_mapping(value) or is_list(value))
    return json.dumps(value, ensure_ascii=False, default=repr, indent=2) if is_long else text


def named(values: Mapping[str, object], script: Script | None = None) -> tuple[Named, ...]:
    """Return values in their order; of the arguments of `script`, which are outputs of others."""
    taken = references(script.parameters) if script else {}
    return tuple(
        Named(str(name), written(value), isinstance(value, str), taken.get(name))
        for name, value in values.items()
    )
