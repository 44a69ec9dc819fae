"""Reads what the API server answers, with a parser in Rust that pydantic brings.

It is used where it reads what Python's own would, and that decides where it reads nothing. How deep
a document is, it measures by the way: asked first, that costs as much as to parse it with `json`.
"""

from __future__ import annotations

from typing import Any

from pydantic_core import from_json

from job_execution_framework.service_layer import bounded_json

_DEEPEST_FOR_PARSER = 201
"""Levels beyond which it refuses a document: an innermost list or object that is empty is its last,
any other one must be a level less deep."""
_AROUND = _DEEPEST_FOR_PARSER - bounded_json.DEEPEST_DOCUMENT
"""How many lists are put around a document, so that the parser refuses one that is too deep."""
_BEGIN, _END = b"[" * _AROUND, b"]" * _AROUND


def loads_cut(text: str | bytes) -> Any:  # noqa: ANN401  # as `json.loads`
    """Return what `bounded_json.loads_cut` does, in half of the time."""
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    try:
        document = from_json(_BEGIN + data + _END)
        for _ in range(_AROUND):
            (document,) = document  # a list of two was `1, 2` or `1], [2`, which is no document
    except ValueError:
        return bounded_json.loads_cut(text)
    return document
