"""The structural check: refuses, with a path, what the API server would reject or silently drop.

`crd.py` runs it on every schema that it makes. It is stricter than the server in one way: every
text, list, map and number needs a bound, and every field a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from job_execution_framework.domain.values import is_mapping

Schema = dict[str, Any]

ANYTHING = {"x-kubernetes-preserve-unknown-fields": True, "nullable": True}
"""What the values of a free map are: of any kind, and kept also where they are null."""
INT_OR_STRING = "x-kubernetes-int-or-string"
RULES = "x-kubernetes-validations"
ANY_OF = "anyOf"
LIST_TYPE, LIST_KEYS = "x-kubernetes-list-type", "x-kubernetes-list-map-keys"

_INT_OR_STRING = "int-or-string"
_ANYWHERE = {"type", "description", "default", "enum", RULES}
_KEYWORDS = {
    "string": {"minLength", "maxLength", "pattern", "format"},
    "integer": {"minimum", "maximum", "format"},
    "number": {"minimum", "maximum"},
    "boolean": set[str](),
    "array": {"items", "minItems", "maxItems", LIST_TYPE, LIST_KEYS},
    "object": {
        *("properties", "required", "additionalProperties", ANY_OF),
        *("minProperties", "maxProperties"),
    },
    _INT_OR_STRING: {INT_OR_STRING, "minimum", "maximum", "minLength", "maxLength", "pattern"},
}
"""What may stand beside each type. The server drops or refuses all else in a schema."""
_BOUNDS = {
    "string": {"maxLength", "enum", "format"},
    "integer": {"maximum", "enum"},
    "number": {"maximum", "enum"},
    "array": {"maxItems"},
    _INT_OR_STRING: {"maxLength"},
}
"""One of these must be there, or rules cost more than the server allows."""
_PYTHON: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    _INT_OR_STRING: (int, str),
}
_FORMATS = {"string": {"date-time"}, "integer": {"int32", "int64"}}
"""Formats that both sides mean the same by. The server ignores those that it does not know."""
_NOT_RE2 = re.compile(r"\(\?(=|!|<=|<!|>|\()|\\[1-9]|\\Z|\(\?P=|[*+?}]\+")
"""What Go's regular expressions lack: looking around, references back, possessive repeats."""


class NotStructural(Exception):
    """The models do not make a CRD that means what they mean: a sentence a line, with the path."""


def check(schema: Schema, path: str) -> None:
    """Raise NotStructural unless the API server would take the schema and keep all of it."""
    if found := [f"{where}: {what}" for where, what in _problems(schema, path)]:
        raise NotStructural("\n".join(found))


def _problems(schema: Schema, path: str) -> Iterator[tuple[str, str]]:
    kind = _kind(schema)
    if kind not in _KEYWORDS:
        found = ", ".join(key for key in schema if key not in ("description", "default"))
        yield path, f"has {found or 'nothing'}, but a structural schema needs one type"
        return
    for unknown in sorted(schema.keys() - _ANYWHERE - _KEYWORDS[kind]):
        yield path, f"{unknown} beside type {kind} is refused or dropped by the API server"
    if _BOUNDS.get(kind, schema.keys()).isdisjoint(schema):
        yield path, "has no bound: give it a largest size"
    for check in (_texts, _values, _rules):
        yield from ((path, what) for what in check(schema, kind))
    if kind == "array":
        yield from _array(schema, path)
    elif kind == "object":
        yield from _object(schema, path)


def _kind(schema: Schema) -> str:
    return _INT_OR_STRING if schema.get(INT_OR_STRING) is True else str(schema.get("type"))


def _texts(schema: Schema, kind: str) -> Iterator[str]:
    if _NOT_RE2.search(schema.get("pattern", "")):
        yield f"pattern {schema['pattern']} needs what RE2 lacks"
    if "format" in schema and schema["format"] not in _FORMATS.get(kind, ()):
        yield f"format {schema['format']} means nothing, or something else, to the API server"


def _values(schema: Schema, kind: str) -> Iterator[str]:
    if "enum" in schema and not (
        schema["enum"] and all(_is(value, kind) for value in schema["enum"])
    ):
        yield f"enum {schema['enum']} is not a list of values of type {kind}"
    if "default" in schema:
        yield from _misfits(schema["default"], schema)


def _misfits(value: object, schema: Schema) -> Iterator[str]:
    """Yield why a default is none: the server would refuse the CRD, or prune the default."""
    if not _is(value, _kind(schema)):
        yield f"default {value!r} is not of type {_kind(schema)}"
    elif "enum" in schema and value not in schema["enum"]:
        yield f"default {value!r} is not in enum"
    elif is_mapping(value):
        fields = schema.get("properties", {})
        for name, field_value in value.items():
            if name in fields:
                yield from _misfits(field_value, fields[name])
            else:
                yield f"default has {name}, which is no field"


def _is(value: object, kind: str) -> bool:
    return isinstance(value, _PYTHON[kind]) and (kind == "boolean") == isinstance(value, bool)


def _rules(schema: Schema, _: str) -> Iterator[str]:
    for rule in schema.get(RULES, ()):
        if not rule.get("rule") or not rule.get("message"):
            yield f"{RULES} needs a rule and a message each"
        elif "\n" in rule["message"]:
            yield f"{RULES} has a line break in a message: the API server refuses it"


def _array(schema: Schema, path: str) -> Iterator[tuple[str, str]]:
    if "items" not in schema:
        yield path, "has no items: the API server needs their type"
        return
    items = schema["items"]
    if schema.get(LIST_TYPE) not in ("atomic", "set", "map"):
        yield path, f"has no {LIST_TYPE}: say atomic, set, or map with its keys"
    for key in schema.get(LIST_KEYS, ()):
        field = items.get("properties", {}).get(key, {})
        if field.get("type") not in ("string", "integer"):
            yield path, f"list map key {key} is no text or whole number of its items"
        elif "default" not in field and key not in items.get("required", ()):
            yield path, f"list map key {key} must be required, or have a default"
    yield from _problems(items, f"{path}[]")


def _object(schema: Schema, path: str) -> Iterator[tuple[str, str]]:
    fields, values = schema.get("properties", {}), schema.get("additionalProperties")
    is_map = values is not None
    if bool(fields) == is_map:
        yield path, "needs fields, or a type for all values: the API server drops everything else"
    for name in sorted(_required(schema) - fields.keys()):
        yield path, f"requires {name}, which is no field"
    if is_map and "maxProperties" not in schema:
        yield path, "has no bound: give it a largest size"
    if values in (True, False):
        yield path, f"additionalProperties is {values}: give its values a type"
    elif values is not None and values != ANYTHING:
        yield from _problems(values, f"{path}{{}}")
    for name, field in fields.items():
        if not field.get("description", "").endswith("."):
            yield f"{path}.{name}", "has no sentence: write one below the field"
        yield from _problems(field, f"{path}.{name}")


def _required(schema: Schema) -> set[str]:
    """Return the fields that must be there, or that may not be there together."""
    apart = (choice["not"] for choice in schema.get(ANY_OF, ()))
    return {name for part in (schema, *apart) for name in part.get("required", ())}
