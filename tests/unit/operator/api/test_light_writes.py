"""Schemas whose objects are light to write."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from enso_operator.api.crd import crds
from enso_operator.api.light_writes import split_default, with_told_defaults
from enso_operator.api.structural import LIST_TYPE, MAP_TYPE, Schema


def fields_below(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """Yield each schema within a schema, with its path."""
    for name, field in schema.get("properties", {}).items():
        yield f"{path}.{name}", field
        yield from fields_below(field, f"{path}.{name}")
    for key, mark in (("items", "[]"), ("additionalProperties", "{}")):
        if isinstance(schema.get(key), dict):
            yield f"{path}{mark}", schema[key]
            yield from fields_below(schema[key], f"{path}{mark}")


def of(kind: str) -> Schema:
    (version,) = yaml.safe_load(crds()[f"{kind}.yaml"])["spec"]["versions"]
    schema: Schema = version["schema"]["openAPIV3Schema"]
    return schema


def test_only_fields_of_a_spec_or_a_status_itself_have_a_default() -> None:
    for kind in ("ensojobs", "ensoactions", "ensoscripts", "ensojobtemplates"):
        found = [path for path, field in fields_below(of(kind)) if "default" in field]
        own = {".spec.suspend", ".spec.takesOtherArguments", ".status.observedGeneration"}
        assert {*found} <= {".status", *own}, kind


def test_a_default_is_told_with_the_sentence_of_its_field() -> None:
    field = {"type": "integer", "default": 300, "description": "How long it may take."}
    items = {"type": "object", "properties": {"timeout": field}, "default": {"timeout": 1}}
    sessions = {"type": "array", "items": items, "description": "Its sessions."}
    told = with_told_defaults({"type": "object", "properties": {"sessions": sessions}})

    changed = told["properties"]["sessions"]["items"]
    assert changed["properties"]["timeout"]["description"] == "How long it may take. Default: 300."
    assert changed.keys() == {"type", "properties"}
    assert split_default("How long it may take. Default: 300.") == ("How long it may take.", "300")
    assert split_default("How long it may take.") == ("How long it may take.", "")
    assert field["default"] == 300


def test_only_the_conditions_of_a_status_have_several_owners() -> None:
    status = of("ensojobs")["properties"]["status"]
    granular = {
        path
        for path, field in fields_below(status)
        if path.count(".") == 1 and "[]" not in path
        if field.get(LIST_TYPE) == "map"
        or ("properties" in field and field.get(MAP_TYPE) != "atomic")
    }
    assert granular == {".conditions"}


def test_each_script_and_each_session_has_one_owner() -> None:
    spec = of("ensojobs")["properties"]["spec"]["properties"]
    for name in ("scripts", "sessions", "finally"):
        assert spec[name][LIST_TYPE] == "map"
        assert spec[name]["items"][MAP_TYPE] == "atomic"
