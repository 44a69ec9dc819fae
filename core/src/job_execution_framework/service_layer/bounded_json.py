"""JSON that others wrote, read so that no depth of it can break whoever reads it.

`json.loads` and everything that walks through its result recurse; how deep they may differs from
one Python to the next, and what goes deeper breaks somewhere else each time. So the depth is found
without recursion, before anything is parsed.
"""

from __future__ import annotations

import json
import re
from typing import Any

DEEPEST_DOCUMENT = 100
"""Levels of a document: the 64 of a parameter (`domain.values.DEEPEST`), and what stands around it.

It exceeds them by more than any of our documents has around a parameter. So what was cut off by
`cut` is always a parameter that is still too deep, and refused as such.
"""
_BRACKETS = b"[]{}"
_ALL_ELSE = bytes(set(range(256)) - set(_BRACKETS + b'"'))
_TO_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]', re.DOTALL)


class TooDeep(ValueError):
    """The document is nested too deeply to be read."""


def loads(text: str | bytes, **options: Any) -> Any:  # noqa: ANN401  # those of `json.loads`
    """Return what `json.loads` does. Raises ValueError, and its TooDeep."""
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if is_too_deep(data):
        raise TooDeep(f"it is nested more than {DEEPEST_DOCUMENT} levels deep")
    return json.loads(text, **options)


def loads_cut(text: str | bytes, **options: Any) -> Any:  # noqa: ANN401
    """Return what `json.loads` does of the document without what is too deep."""
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return json.loads(cut(data), **options)


def is_too_deep(data: bytes) -> bool:
    """Whether a document in UTF-8 is nested more deeply than `DEEPEST_DOCUMENT` levels."""
    if data.count(b"[") + data.count(b"{") <= DEEPEST_DOCUMENT:
        return False
    if b'\\"' in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    brackets = data.translate(_TO_ONE_KIND, _ALL_ELSE).replace(b'""', b"")
    if b'"' in brackets:
        brackets = b"".join(brackets.split(b'"')[::2])
    for _ in range(DEEPEST_DOCUMENT):  # each turn takes off what is innermost everywhere
        left = brackets.replace(b"[]", b"")
        if len(left) == len(brackets):
            break  # it is empty, or not JSON
        brackets = left
    return b"[]" in brackets or brackets.count(b"[") > DEEPEST_DOCUMENT


def cut(data: bytes) -> bytes:
    """Return the document with null in the place of each list and object that is too deep."""
    if not is_too_deep(data):
        return data
    kept, depth, begin = bytearray(), 0, 0
    for token in _TOKEN.finditer(data):
        bracket = token[0]
        if bracket in (b"[", b"{"):
            depth += 1
            if depth == DEEPEST_DOCUMENT + 1:
                kept += data[begin : token.start()] + b"null"
        elif bracket in (b"]", b"}"):
            if depth == DEEPEST_DOCUMENT + 1:
                begin = token.end()
            depth -= 1
    if depth <= DEEPEST_DOCUMENT:
        kept += data[begin:]
    return bytes(kept)
