"""Walking through parameters and outputs: nested mappings, lists, and what is in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeGuard


def is_mapping(value: object) -> TypeGuard[Mapping[object, object]]:
    """Whether `value` has keys and values."""
    return isinstance(value, Mapping)


def is_list(value: object) -> TypeGuard[Sequence[object]]:
    """Whether `value` has items, and is no text."""
    return isinstance(value, (list, tuple))


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
