"""Walking through the schemas of CRDs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def parts(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    for key in ("items", "additionalProperties"):
        if key in schema:
            yield from parts(schema[key])
    for field in schema.get("properties", {}).values():
        yield from parts(field)
