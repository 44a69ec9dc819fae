"""Checks that schemas are structural, so that the API server takes them whole.

`crd.py` runs it on every schema that it generates. It refuses, with the path, what the API server
would reject or silently drop. It is stricter than the server in two ways: every string, list, map
and number needs a bound, and every field needs a description.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from job_execution_framework.domain.values import is_mapping

Schema = dict[str, Any]

ANY = {"x-kubernetes-preserve-unknown-fields": True}
"""The schema of a field of any type."""
ANYTHING = {**ANY, "nullable": True}
"""The schema of values of any type, which are kept even if they are null."""
INT_OR_STRING = "x-kubernetes-int-or-string"
RULES = "x-kubernetes-validations"
ANY_OF = "anyOf"
LIST_TYPE, LIST_KEYS = "x-kubernetes-list-type", "x-kubernetes-list-map-keys"
MAP_TYPE = "x-kubernetes-map-type"

_INT_OR_STRING_KIND = "int-or-string"
_COMMON_KEYWORDS = {"type", "description", "default", "enum", RULES}
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
    _INT_OR_STRING_KIND: {INT_OR_STRING, "minimum", "maximum", "minLength", "maxLength", "pattern"},
}
"""The keywords that are allowed with each type. The server drops or refuses all others."""
_BOUNDS = {
    "string": {"maxLength", "enum", "format"},
    "integer": {"maximum", "enum"},
    "number": {"maximum", "enum"},
    "array": {"maxItems"},
    _INT_OR_STRING_KIND: {"maxLength"},
}
"""One of these must be set, or CEL rules would cost more than the server allows."""
_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    _INT_OR_STRING_KIND: (int, str),
}
_FORMATS = {"string": {"date-time"}, "integer": {"int32", "int64"}}
"""Formats that mean the same to pydantic and to the server, which ignores unknown ones."""
_NOT_RE2 = re.compile(r"\(\?(=|!|<=|<!|>|\()|\\[1-9]|\\Z|\(\?P=|[*+?}]\+")
"""What RE2 lacks: lookaround, backreferences, possessive quantifiers."""


class NotStructural(Exception):
    """A model has no structural schema: the message has a line for each problem, with its path."""


def check(schema: Schema, path: str) -> None:
    """Raise NotStructural unless the API server would take the schema and keep all of it."""
    if lines := [f"{where}: {problem}" for where, problem in _problems(schema, path)]:
        raise NotStructural("\n".join(lines))


def _problems(schema: Schema, path: str) -> Iterator[tuple[str, str]]:
    kind = _kind(schema)
    if ANY.items() <= schema.items() and schema.keys() <= {*ANYTHING, "description"}:
        return
    if kind not in _KEYWORDS:
        keywords = ", ".join(key for key in schema if key not in ("description", "default"))
        yield path, f"has {keywords or 'nothing'}, but a structural schema needs one type"
        return
    for unknown in sorted(schema.keys() - _COMMON_KEYWORDS - _KEYWORDS[kind]):
        yield path, f"{unknown} beside type {kind} is refused or dropped by the API server"
    if _BOUNDS.get(kind, schema.keys()).isdisjoint(schema):
        yield path, "has no bound: give it a largest size"
    for problems_of in (_string_problems, _value_problems, _rule_problems):
        yield from ((path, problem) for problem in problems_of(schema, kind))
    if kind == "array":
        yield from _array_problems(schema, path)
    elif kind == "object":
        yield from _object_problems(schema, path)


def _kind(schema: Schema) -> str:
    return _INT_OR_STRING_KIND if schema.get(INT_OR_STRING) is True else str(schema.get("type"))


def _string_problems(schema: Schema, kind: str) -> Iterator[str]:
    if _NOT_RE2.search(schema.get("pattern", "")):
        yield f"pattern {schema['pattern']} needs what RE2 lacks"
    if "format" in schema and schema["format"] not in _FORMATS.get(kind, ()):
        yield f"format {schema['format']} means nothing, or something else, to the API server"


def _value_problems(schema: Schema, kind: str) -> Iterator[str]:
    if "enum" in schema and not (
        schema["enum"] and all(_has_type(value, kind) for value in schema["enum"])
    ):
        yield f"enum {schema['enum']} is not a list of values of type {kind}"
    if "default" in schema:
        yield from _default_problems(schema["default"], schema)


def _default_problems(value: object, schema: Schema) -> Iterator[str]:
    """Yield why the value is no valid default: the server would refuse the CRD, or prune it."""
    if not _has_type(value, _kind(schema)):
        yield f"default {value!r} is not of type {_kind(schema)}"
    elif "enum" in schema and value not in schema["enum"]:
        yield f"default {value!r} is not in enum"
    elif is_mapping(value):
        fields = schema.get("properties", {})
        for name, field_value in value.items():
            if name in fields:
                yield from _default_problems(field_value, fields[name])
            else:
                yield f"default has {name}, which is no field"


def _has_type(value: object, kind: str) -> bool:
    return isinstance(value, _PYTHON_TYPES[kind]) and (kind == "boolean") == isinstance(value, bool)


def _rule_problems(schema: Schema, _: str) -> Iterator[str]:
    for rule in schema.get(RULES, ()):
        if not rule.get("rule") or not rule.get("message"):
            yield f"{RULES} needs a rule and a message each"
        elif "\n" in rule["message"]:
            yield f"{RULES} has a line break in a message: the API server refuses it"


def _array_problems(schema: Schema, path: str) -> Iterator[tuple[str, str]]:
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


def _object_problems(schema: Schema, path: str) -> Iterator[tuple[str, str]]:
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
    elif values is not None:
        yield from _problems(values, f"{path}{{}}")
    for name, field in fields.items():
        if not field.get("description", "").endswith("."):
            yield f"{path}.{name}", "has no sentence: write one below the field"
        yield from _problems(field, f"{path}.{name}")


def _required(schema: Schema) -> set[str]:
    """Return the names in all `required` lists, also in those for mutually exclusive fields."""
    negated = (choice["not"] for choice in schema.get(ANY_OF, ()))
    return {name for source in (schema, *negated) for name in source.get("required", ())}
