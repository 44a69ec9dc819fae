"""Estimates the memory that values take, for the limit of `memory_backend`.

The size of their JSON would not do: 1 MiB of ``[[],[],…]`` takes 22 MiB in Python.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import fields, is_dataclass

from job_execution_framework.domain.values import is_list, is_mapping


def memory_of(value: object) -> int:
    """Return the bytes of a value and of all that it contains: JSON values and dataclasses."""
    size, pending = 0, [value]
    while pending:
        value = pending.pop()
        size += sys.getsizeof(value)
        pending += _children(value)
    return size


def _children(value: object) -> Iterable[object]:
    if is_mapping(value):
        return [*value.keys(), *value.values()]
    if is_list(value):
        return value
    if is_dataclass(value):
        return [getattr(value, field.name) for field in fields(value)]
    return ()
