"""Walks through parameters and outputs, which are nested mappings and lists."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeGuard

DEEPEST = 64
"""Levels of nesting that a parameter, or what a script returns, may have: ``[[]]`` has two."""
TOO_DEEP = f"is nested more than {DEEPEST} levels deep: use fewer levels, or keep it in a file"
"""The sentence on values that have more levels."""


def is_mapping(value: object) -> TypeGuard[Mapping[object, object]]:
    """Whether `value` has keys and values."""
    return isinstance(value, Mapping)


def is_list(value: object) -> TypeGuard[Sequence[object]]:
    """Whether `value` is a list or a tuple."""
    return isinstance(value, (list, tuple))


def is_path(value: object) -> TypeGuard[os.PathLike[str]]:
    """Whether `value` is a path and no text; only in process may an argument be one."""
    return isinstance(value, os.PathLike)


def is_too_deep(value: object) -> bool:
    """Whether `value` has more levels than `DEEPEST`, or contains itself."""
    level = [value]
    for _ in range(DEEPEST + 1):
        # Each object only once: lists that contain a list twice would double the work per level.
        nested = {id(item): item for item in level if is_mapping(item) or is_list(item)}
        if not nested:
            return False
        level = [item for outer in nested.values() for item in _items(outer)]
    return True


def _items(value: object) -> Iterable[object]:
    if is_mapping(value):
        return value.values()
    return value if is_list(value) else ()


def leaves(value: object) -> Iterator[object]:
    """Yield everything in `value`, however deep, that is neither a mapping nor a list."""
    if is_mapping(value) or is_list(value):
        for item in value.values() if is_mapping(value) else value:
            yield from leaves(item)
    else:
        yield value


def keys_and_leaves(value: object) -> Iterator[object]:
    """Yield everything in `value` that `leaves` does, and the keys of its mappings."""
    if is_mapping(value):
        for key, item in value.items():
            yield key
            yield from keys_and_leaves(item)
    elif is_list(value):
        for item in value:
            yield from keys_and_leaves(item)
    else:
        yield value


def is_same(old: object, new: object) -> bool:
    """Whether two values are the same JSON; for Python 1, 1.0 and True are equal."""
    if is_mapping(old) and is_mapping(new):
        return old.keys() == new.keys() and all(is_same(old[key], new[key]) for key in old)
    if is_list(old) and is_list(new):
        return len(old) == len(new) and all(map(is_same, old, new))
    return type(old) is type(new) and old == new
