"""The schema of a template's `spec.job`: a job's spec in which references may stand.

`crd.py` makes it from the schema of EnsoJob, so that `kubectl explain` knows its fields, and the
API server refuses or warns of those that are misspelt. Where a number, a boolean, a list or a map
of plain values must stand, a text with a reference may stand as well, so that any value is taken:
a structural schema has no other way to say so. Texts lose their patterns and bounds, and there are
no rules between fields. The operator checks all of that on what a template makes of a run.
"""

from __future__ import annotations

from enso_operator.api.structural import ANY, LIST_TYPE, Schema

LONGEST_TEXT = 256 * 1024
"""Characters of any text in a template."""
_OF_RUNS = ("suspend", "templateRef", "params")


def with_references(spec: Schema) -> Schema:
    """Return the schema of a job's spec as a template has it."""
    fields = {name: field for name, field in spec["properties"].items() if name not in _OF_RUNS}
    return _relaxed({**spec, "properties": fields, "required": ["scripts"]})


def _relaxed(schema: Schema) -> Schema:
    described = {key: schema[key] for key in ("description",) if key in schema}
    kind, items = schema.get("type"), schema.get("items", {})
    if kind == "object" and "properties" in schema:
        fields = {name: _relaxed(field) for name, field in schema["properties"].items()}
        required = {"required": schema["required"]} if "required" in schema else {}
        return {"type": kind, **described, "properties": fields, **required}
    if kind == "array" and "properties" in items:
        bound = {"maxItems": schema["maxItems"], LIST_TYPE: "atomic"}
        return {"type": kind, **described, "items": _relaxed(items), **bound}
    if kind == "string":
        return {"type": kind, **described, "maxLength": LONGEST_TEXT}
    return {**ANY, **described}
