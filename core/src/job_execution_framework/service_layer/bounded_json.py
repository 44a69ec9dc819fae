"""Reads JSON that others wrote, however deeply it is nested.

`json.loads` and everything that walks through its result use recursion. How deep that may go
differs from one Python to the next, and beyond it a RecursionError comes from anywhere. So the
depth is measured without recursion, before anything is parsed. Used for plans, records and reports.
"""

from __future__ import annotations

import json
import re
from typing import Any

DEEPEST_DOCUMENT = 100
"""Levels of a document: the 64 of a parameter (`domain.values.DEEPEST`), and those around it.

None of our documents has as many levels around a parameter as this allows. So a parameter that
`cut` has shortened is still too deep, and is refused as such.
"""
_BRACKETS = b"[]{}"
_NOT_OPENING = bytes(set(range(256)) - set(b"[{"))
_NO_BRACKETS_OR_QUOTES = bytes(set(range(256)) - set(_BRACKETS + b'"'))
_BRACES_TO_BRACKETS = bytes.maketrans(b"{}", b"[]")
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]', re.DOTALL)


class TooDeep(ValueError):
    """The document is nested too deeply to be read."""


def loads(text: str | bytes, **options: Any) -> Any:  # noqa: ANN401  # those of `json.loads`
    """Return what `json.loads` does. Raises ValueError, where it is too deep TooDeep."""
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if is_too_deep(data):
        raise TooDeep(f"it is nested more than {DEEPEST_DOCUMENT} levels deep")
    return json.loads(text, **options)


def loads_cut(text: str | bytes, **options: Any) -> Any:  # noqa: ANN401
    """Return what `json.loads` does, with None in the place of what is too deep."""
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return json.loads(cut(data), **options)


def is_too_deep(data: bytes) -> bool:
    """Whether a document in UTF-8 is nested more deeply than `DEEPEST_DOCUMENT` levels."""
    opening = len(data.translate(None, _NOT_OPENING))
    if opening - data.count(b"{}") < DEEPEST_DOCUMENT:  # around the deepest, none is empty
        return False
    if b'\\"' in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    brackets = data.translate(_BRACES_TO_BRACKETS, _NO_BRACKETS_OR_QUOTES).replace(b'""', b"")
    if b'"' in brackets:
        brackets = b"".join(brackets.split(b'"')[::2])
    for _ in range(DEEPEST_DOCUMENT):  # each turn removes the innermost brackets everywhere
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
