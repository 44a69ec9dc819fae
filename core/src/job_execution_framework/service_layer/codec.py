"""Turns dataclasses into JSON documents and back. Used by `plan` and `records`.

Fields that have their default are left out, and a reader ignores fields that it does not know. So
older and newer releases can read what this one writes.
"""

from __future__ import annotations

import types
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from job_execution_framework.domain.values import is_list, is_mapping

T = TypeVar("T")
LARGEST_INT = 2**53
"""Python's integers have no limit, but one that no float can hold cannot be computed with."""


def to_document(value: Any) -> Any:
    """Return `value` in the types that `json` can write."""
    if is_dataclass(value):
        kind: Any = type(value)
        return {
            name: to_document(item)
            for name, default in _defaults(kind).items()
            if (item := getattr(value, name)) != default  # nothing is equal to MISSING
        }
    if isinstance(value, Enum):
        return value.value
    if is_mapping(value):
        return {key: to_document(item) for key, item in value.items()}
    if is_list(value):
        return [to_document(item) for item in value]
    return value


@cache
def _defaults(kind: type) -> dict[str, Any]:
    """Return the names of a dataclass' fields, each with its default, or MISSING."""
    return {field.name: field.default for field in fields(kind)}


def from_document(kind: type[T], document: Any) -> T:
    """Make a `kind` from a document; raise TypeError or ValueError where it does not fit.

    Types are checked, because whoever can write to a log can write anything.
    """
    return _read(kind, document)  # type: ignore[no-any-return]


def _read(kind: Any, value: Any) -> Any:
    if kind is object or kind is Any:
        return value
    if get_origin(kind) in (Union, types.UnionType):
        return _read_one_of(get_args(kind), value)
    if get_origin(kind) is tuple:
        return tuple(_read(get_args(kind)[0], item) for item in _expect(list, value))
    if get_origin(kind) is not None:  # Mapping[str, X]
        return {key: _read(get_args(kind)[1], item) for key, item in _expect(dict, value).items()}
    if isinstance(kind, type) and is_dataclass(kind):
        hints, document = _hints(kind), _expect(dict, value)
        return kind(**{key: _read(hints[key], document[key]) for key in hints.keys() & document})
    if issubclass(kind, Enum):
        return kind(value)
    return _expect((int, float) if kind is float else kind, value)


def _read_one_of(kinds: tuple[Any, ...], value: Any) -> Any:
    """Read the first kind that fits. The kinds of `Work` differ in their required fields."""
    for kind in kinds:
        try:
            return _read(kind, value)
        except (TypeError, ValueError):
            continue
    raise TypeError(f"{value!r} is none of {kinds}")


def _expect(kind: Any, value: Any) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise TypeError(f"{value!r} is not {kind}")
    if isinstance(value, int) and abs(value) > LARGEST_INT:
        raise ValueError("a number is too large")
    return value


_hints = cache(get_type_hints)
