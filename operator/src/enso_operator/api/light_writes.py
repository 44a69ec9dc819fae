"""What makes a write of a status light: fewer fields in an object, and fewer owners of fields.

An API server reads, checks, compares and encodes a whole object at each write, and for each field
notes who owns it (`managedFields`). `crd.py` calls these functions;
docs/decisions/0016-a-status-is-light-to-write.md has the why and the measurements.
"""

from __future__ import annotations

import json

from enso_operator.api.structural import MAP_TYPE, Schema

_TOLD = " Default: "


def with_told_defaults(schema: Schema) -> Schema:
    """Return the schema of a spec or a status, with defaults of its own fields only.

    The API server would write those of fields further down into each item of each list. The
    models have them anyway, and so they only stand in the descriptions.
    """
    fields: dict[str, Schema] = schema["properties"]
    return {**schema, "properties": {name: _below(field) for name, field in fields.items()}}


def _below(schema: Schema) -> Schema:
    changed = dict(schema)
    if "properties" in schema:
        fields: dict[str, Schema] = schema["properties"]
        changed["properties"] = {name: _told(field) for name, field in fields.items()}
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            changed[key] = _told(schema[key])
    return changed


def _told(schema: Schema) -> Schema:
    changed = _below(schema)
    default = changed.pop("default", None)
    if default is None or "properties" in schema:  # the fields of an object say what theirs is
        return changed
    return changed | {"description": f"{schema['description']}{_TOLD}{json.dumps(default)}."}


def split_default(description: str) -> tuple[str, str]:
    """Return a description and the default that it ends with, as JSON; "" where it has none."""
    text, _, default = description.partition(_TOLD)
    return text, default.removesuffix(".")


def with_whole_items(spec: Schema) -> Schema:
    """Return the schema of a spec that does not change, with one owner of each item of a list."""
    fields: dict[str, Schema] = spec["properties"]
    changed = {
        name: field | {"items": field["items"] | {MAP_TYPE: "atomic"}}
        for name, field in fields.items()
        if "properties" in field.get("items", {})
    }
    return {**spec, "properties": fields | changed}


def with_whole_objects(status: Schema) -> Schema:
    """Return the schema of a status, which one program writes, with one owner of each object."""
    fields: dict[str, Schema] = status["properties"]
    changed = {
        name: field | {MAP_TYPE: "atomic"}
        for name, field in fields.items()
        if "properties" in field
    }
    return {**status, "properties": fields | changed}
