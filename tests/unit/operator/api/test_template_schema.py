"""The schema of a template's job: the fields of a job's spec, with room for references."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from enso_operator.api.crd import crds
from enso_operator.api.structural import ANY

OF_RUNS = {"suspend", "templateRef", "params"}


def schema_of(file: str) -> dict[str, Any]:
    (version,) = yaml.safe_load(crds()[file])["spec"]["versions"]
    spec: dict[str, Any] = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return spec


JOB = schema_of("ensojobs.yaml")
TEMPLATE = schema_of("ensojobtemplates.yaml")["properties"]["job"]


def parts(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    if "properties" in schema.get("items", {}):
        yield from parts(schema["items"], f"{path}[]")
    for name, field in schema.get("properties", {}).items():
        yield from parts(field, f"{path}.{name}")


def test_a_template_has_the_fields_of_a_job_but_for_those_of_each_run() -> None:
    fields = {path for path, _ in parts(JOB)}
    assert {path for path, _ in parts(TEMPLATE)} == {
        path for path in fields if path.split(".")[1:2] not in [[name] for name in OF_RUNS]
    } - {f".templateRef.{name}" for name in ("name", "generation")}


def test_every_field_is_explained_as_in_a_job() -> None:
    described = {path: schema.get("description") for path, schema in parts(JOB) if path}
    for path, schema in parts(TEMPLATE):
        assert not path or schema["description"] == described[path], path


def test_a_reference_may_stand_wherever_a_plain_value_may() -> None:
    for path, schema in parts(TEMPLATE):
        is_text = schema.get("type") == "string"
        has_fields = "properties" in schema or "properties" in schema.get("items", {})
        assert is_text or has_fields or ANY.items() <= schema.items(), path
        assert not {"pattern", "enum", "x-kubernetes-validations"} & schema.keys(), path


def test_the_crd_is_far_smaller_than_an_object_may_be() -> None:
    assert len(crds()["ensojobtemplates.yaml"]) < 128 * 1024
