"""The fields of a kind, from its CRD: a section for each object, a table of its fields."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from dev.reference.markdown import code, table, text

from enso_operator.api.fields import NO_NUL, PATTERN_HINTS
from enso_operator.api.light_writes import split_default
from enso_operator.api.structural import MAP_TYPE, RULES
from job_execution_framework.domain.values import is_mapping

Schema = Mapping[str, Any]

HEAD = ("field", "type, default, bounds", "what it is")
FREE = "x-kubernetes-preserve-unknown-fields"
KEYS = "a key is not as it must be: "
SET = {"x-kubernetes-list-type": "set"}
NOT_OF_THE_OBJECT = {"default", "description", MAP_TYPE}
"""What a field says beside what the object in it is made of."""


@dataclass
class Fields:
    """Writes the sections of one page. An object that stands in two places is described once."""

    elsewhere: Mapping[str, str] = field(default_factory=dict[str, str])
    """What another page describes: a path of this one, and the link to it."""
    _described: dict[str, str] = field(default_factory=dict[str, str])
    """Paths of the objects that have a section, by their schemas."""

    def sections(self, path: str, schema: Schema) -> Iterator[str]:
        """Yield the section of an object, then those of the objects in it."""
        yield f"## {code(path)}\n\n"
        if described := schema.get("description"):
            yield f"{text(described)}\n\n"
        inner: list[tuple[str, Schema]] = []
        yield table(HEAD, self._rows(path, schema, inner))
        yield from refusals(schema)
        for below, part in inner:
            yield from self.sections(below, part)

    def _rows(
        self, path: str, schema: Schema, inner: list[tuple[str, Schema]]
    ) -> Iterator[list[str]]:
        required = schema.get("required", ())
        for name, given in schema["properties"].items():
            part = _without_null(given)
            kind = self._type(f"{path}.{name}", part, inner)
            described, default = split_default(part.get("description", ""))
            told = f"default {code(default)}" if default else ""
            if name in required and _takes_null(given):  # others are left out
                kind += " or null"
            facts = [kind, "required" if name in required else "", told, *_bounds(part)]
            about = [text(described), *_hints(part)]
            yield [code(name), ", ".join(filter(None, facts)), " ".join(filter(None, about))]

    def _type(self, path: str, part: Schema, inner: list[tuple[str, Schema]]) -> str:
        if path in self.elsewhere:
            return f"[object]({self.elsewhere[path]})"
        if "$ref" in part:  # of an OpenAPI document, which describes each object by its name
            name = str(part["$ref"]).rpartition("/")[2]
            return f"[{name}]({anchor(name)})"
        if "items" in part:
            what = "set" if SET.items() <= part.items() else "list"
            return f"{what} of {self._type(f'{path}[]', part['items'], inner)}"
        if "prefixItems" in part:
            both = (self._type(path, item, inner) for item in part["prefixItems"])
            return f"pairs of {' and '.join(both)}"
        if values := part.get("additionalProperties"):
            return (
                f"map of {'any JSON' if values is True else self._type(f'{path}.*', values, inner)}"
            )
        if "properties" not in part:
            return _plain(part)
        known = json.dumps(
            {key: value for key, value in part.items() if key not in NOT_OF_THE_OBJECT},
            sort_keys=True,
        )
        if known not in self._described:
            self._described[known] = path
            inner.append((path, part))
        return f"[object]({anchor(self._described[known])})"


def anchor(heading: str) -> str:
    """Return the anchor of a heading, as GitHub and the site make it."""
    kept = "".join(c for c in heading.lower() if c.isalnum() or c in "-_ ")
    return f"#{kept.strip().replace(' ', '-')}"


def refusals(schema: Schema) -> Iterator[str]:
    """Yield what is refused of an object, beyond the bounds of its fields."""
    rules: dict[str, list[str]] = {}
    for rule in schema.get(RULES, ()):
        named = rules.setdefault(rule["message"], [])
        if where := rule.get("fieldPath"):
            named.append(code(where.removeprefix(".")))
    if rules:
        yield "What is refused, and the sentence that says so:\n\n"
        for message, fields in rules.items():
            yield f"- {', '.join(fields)}{': ' if fields else ''}{text(message)}\n"
        yield "\n"


def column_rows(crd: Schema) -> Iterator[list[str]]:
    """Yield the columns that kubectl shows of a kind, each with the field that it shows."""
    (version,) = crd["spec"]["versions"]
    for column in version["additionalPrinterColumns"]:
        where = "with `-o wide`" if column.get("priority") else "always"
        yield [column["name"].upper(), where, code(column["jsonPath"].removeprefix("."))]


def loaded(crd: str) -> tuple[Schema, Schema]:
    """Return a CRD, and the schema in it."""
    document: dict[str, Any] = yaml.safe_load(crd)
    (version,) = document["spec"]["versions"]
    return document, version["schema"]["openAPIV3Schema"]


def _without_null(part: Schema) -> Schema:
    """Return what a field holds where it is given."""
    kinds = [kind for kind in part.get("anyOf", ()) if kind.get("type") != "null"]
    return {**kinds[0], **part} if len(kinds) == 1 and "required" not in kinds[0] else part


def _takes_null(part: Schema) -> bool:
    return any(kind.get("type") == "null" for kind in part.get("anyOf", ()))


def _plain(part: Schema) -> str:
    if part.get(FREE):
        return "any JSON"
    if "enum" in part:
        return f"one of {', '.join(code(value) for value in part['enum'])}"
    if part.get("x-kubernetes-int-or-string"):
        return "string or integer"
    return str(part.get("format") or part.get("type", "any JSON"))


def _bounds(part: Schema) -> Iterator[str]:
    if (default := part.get("default")) is not None and part.get("type") != "object":
        yield f"default {code(json.dumps(default))}"
    low, high = part.get("minimum"), part.get("maximum")
    if low is not None and high is not None:
        yield f"{low} to {high}"
    elif low is not None:
        yield f"at least {low}"
    elif high is not None:
        yield f"at most {high}"
    for kind, what in (("Length", "characters"), ("Items", "items"), ("Properties", "entries")):
        least, most = part.get(f"min{kind}", 0), part.get(f"max{kind}")
        if least and least == most:
            yield f"{most} {what}"
            continue
        if least:
            yield "not empty" if least == 1 else f"at least {least} {what}"
        if most is not None:
            yield f"at most {most} {what}"
    if "items" in part and (inside := ", ".join(_bounds(part["items"]))):
        yield f"each {inside}"


def _hints(part: Schema) -> Iterator[str]:
    """Yield what a value must look like, where that is more than its type."""
    inside = (part.get(key) for key in ("items", "additionalProperties"))
    schemas: list[Mapping[Any, Any]] = [part, *(schema for schema in inside if is_mapping(schema))]
    for schema in schemas:
        pattern = str(schema.get("pattern", ""))
        if pattern and pattern != NO_NUL:
            hint = PATTERN_HINTS.get(pattern)
            yield f"{hint[:1].upper()}{hint[1:]}." if hint else f"Matches {code(pattern)}."
    if "properties" not in part:
        for rule in part.get(RULES, ()):
            message = str(rule["message"])
            about = message.removeprefix(KEYS)
            yield f"{'Refused' if about == message else 'Its keys'}: {text(about)}."
