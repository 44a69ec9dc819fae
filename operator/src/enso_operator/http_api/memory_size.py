"""How much memory values take: of 1 MiB of JSON, ``[[],[],…]``, Python makes 22."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import fields, is_dataclass

from job_execution_framework.domain.values import is_list, is_mapping


def memory_of(value: object) -> int:
    """Return how many bytes a value takes with all that is in it: JSON, and dataclasses of it."""
    size, left = 0, [value]
    while left:
        value = left.pop()
        size += sys.getsizeof(value)
        left += _within(value)
    return size


def _within(value: object) -> Iterable[object]:
    if is_mapping(value):
        return [*value.keys(), *value.values()]
    if is_list(value):
        return value
    if is_dataclass(value):
        return [getattr(value, field.name) for field in fields(value)]
    return ()
