"""The CRDs of deploy/crds, generated from the wire models. `make manifests` writes them.

pydantic says almost everything: this module says it in the subset of JSON schema that the API
server takes ("structural"), adds keys and rules from `cel.py`, and lets `structural.py` refuse
what would be rejected or silently dropped.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from enso_operator.api import cel, structural
from enso_operator.api.ensoaction import EnsoAction, EnsoActionStatus
from enso_operator.api.status import EnsoJobStatus
from enso_operator.api.structural import ANY_OF, ANYTHING, LIST_KEYS, LIST_TYPE, RULES
from enso_operator.api.v1alpha1 import GROUP, VERSION, EnsoJob, EnsoScript
from job_execution_framework.domain.values import is_mapping

HEADER = "# Written by `make manifests` from the models in operator/src/enso_operator/api.\n"


def crds() -> dict[str, str]:
    """Return the text of each CRD by the name of its file."""
    job = _schema(
        EnsoJob, cel.name_rules(52, "names of Pods are made from it"), status=EnsoJobStatus
    )
    script = _schema(EnsoScript, cel.name_rules(63, "a scriptRef has no more"))
    action = _schema(
        EnsoAction, cel.name_rules(63, "the job remembers it"), status=EnsoActionStatus
    )
    return {
        "ensojobs.yaml": _text(_crd("EnsoJob", "ensoj", job, _JOB_COLUMNS, ["suspend"])),
        "ensoscripts.yaml": _text(_crd("EnsoScript", "ensos", script, _SCRIPT_COLUMNS)),
        "ensoactions.yaml": _text(
            _crd("EnsoAction", "ensoact", action, _ACTION_COLUMNS, ["job", "verb"])
        ),
    }


def _column(name: str, path: str, kind: str = "string", *, wide: bool = False) -> dict[str, object]:
    priority: dict[str, object] = {"priority": 1} if wide else {}
    return {"name": name, "type": kind, "jsonPath": path} | priority


_AGE = _column("Age", ".metadata.creationTimestamp", "date")
_JOB_COLUMNS = [
    _column("Status", '.status.conditions[?(@.type=="Succeeded")].reason'),
    _column("Done", ".status.done"),
    _column("Script", ".status.script"),
    _column("Reason", ".status.reason"),
    _AGE,
    _column("Finished", ".status.completionTime", "date", wide=True),
    _column("Pod", ".status.pod", wide=True),
]
_SCRIPT_COLUMNS = [_column("Description", ".spec.description"), _AGE]
_ACTION_COLUMNS = [
    _column("Job", ".spec.job"),
    _column("Verb", ".spec.verb"),
    _column("Succeeded", '.status.conditions[?(@.type=="Succeeded")].status'),
    _column("Message", '.status.conditions[?(@.type=="Succeeded")].message'),
    _column("By", ".spec.by"),
    _AGE,
]


def schema_of(model: type[BaseModel], path: str) -> structural.Schema:
    """Return the structural schema of a model. Raises NotStructural."""
    schema = _generated(model, path)
    structural.check(schema, path)
    return schema


def _generated(model: type[BaseModel], path: str) -> structural.Schema:
    made = model.model_json_schema(schema_generator=_Structural)
    return _inlined(made, made.pop("$defs", {}), path, ())


def _schema(
    model: type[BaseModel], rules: tuple[cel.Rule, ...], *, status: type[BaseModel] | None = None
) -> structural.Schema:
    """Return the schema of a whole resource: metadata is the API server's own.

    Until somebody writes the status, it says that nobody has looked at the resource.
    """
    made: dict[str, Any] = _generated(model, model.__name__)
    fields = made["properties"]
    structural.check(fields["spec"], "spec")
    plain = {
        name: {"type": "string", "description": fields[name]["description"]}
        for name in ("apiVersion", "kind")
    }
    kept = {**plain, "metadata": {"type": "object"}, "spec": fields["spec"]}
    if status:
        kept["status"] = schema_of(status, "status") | {"default": {"observedGeneration": -1}}
    return {
        "type": "object",
        "description": made["description"],
        "properties": kept,
        "required": ["spec"],
        RULES: [rule.document() for rule in rules],
    }


def _crd(
    kind: str,
    short: str,
    schema: structural.Schema,
    columns: list[dict[str, object]],
    selectable: Iterable[str] = (),
) -> dict[str, object]:
    singular = kind.lower()
    version = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "additionalPrinterColumns": columns,
        "schema": {"openAPIV3Schema": schema},
    }
    if "status" in schema["properties"]:
        version["subresources"] = {"status": dict[str, object]()}
    if selectable:
        version["selectableFields"] = [{"jsonPath": f".spec.{name}"} for name in selectable]
    names = {
        "kind": kind,
        "listKind": f"{kind}List",
        "plural": f"{singular}s",
        "singular": singular,
        "shortNames": [short],
        "categories": ["enso"],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{singular}s.{GROUP}"},
        "spec": {"group": GROUP, "scope": "Namespaced", "names": names, "versions": [version]},
    }


def _text(crd: dict[str, object]) -> str:
    return HEADER + yaml.dump(crd, Dumper=_Dumper, sort_keys=False, width=100, allow_unicode=True)


class _Dumper(yaml.SafeDumper):
    """Writes everything out: the API server's YAML has no aliases to what is said twice."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  # its name in the base
        return True


def _inlined(
    schema: dict[str, Any], definitions: dict[str, Any], path: str, above: tuple[str, ...]
) -> dict[str, Any]:
    """Return the schema with each reference replaced by what it means."""
    beside = dict(schema)
    if reference := beside.pop("$ref", None):
        name = str(reference).rpartition("/")[2]
        if name in above:
            raise structural.NotStructural(
                f"{path}: {name} contains itself: a structural schema ends"
            )
        return _inlined({**definitions[name], **beside}, definitions, path, (*above, name))
    for key in ("items", "additionalProperties"):
        if isinstance(beside.get(key), dict):
            beside[key] = _inlined(beside[key], definitions, f"{path}[]", above)
    if "properties" in beside:
        beside["properties"] = {
            name: _inlined(field, definitions, f"{path}.{name}", above)
            for name, field in beside["properties"].items()
        }
    return beside


class _Structural(GenerateJsonSchema):
    """Says in structural terms what pydantic says in all of JSON schema."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002  # as in the base
        return False

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """Leave null out: a field that is absent says the same, and the server prunes nulls."""
        return self.generate_inner(schema["schema"])

    def literal_schema(self, schema: core_schema.LiteralSchema) -> JsonSchemaValue:
        """Say one value as an enum: the server drops a const."""
        made = super().literal_schema(schema)
        return made | {"enum": [made.pop("const")]} if "const" in made else made

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """Say what keys must be as a rule, and that values of any kind are kept as they are.

        Of a map that is free as a whole CEL would compare only the keys of one side.
        """
        made = super().dict_schema(schema)
        keys = made.pop("propertyNames", {})
        if patterns := made.pop("patternProperties", None):
            ((pattern, made["additionalProperties"]),) = patterns.items()
            made[RULES] = [cel.key_rule(pattern, keys["maxLength"]).document()]
        if made.get("additionalProperties") in (True, {}):
            made["additionalProperties"] = dict(ANYTHING)
        return made

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Say only defaults that say something; also those that are made anew for each object."""
        made = super().default_schema(schema)
        default = made.pop("default", None)
        if "default_factory" in schema and not schema.get("default_factory_takes_data"):
            factory: Any = schema["default_factory"]
            default = factory()
        return made | {"default": default} if (default := _said(default)) is not None else made

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """Add the keys of lists, and the rules, that stand in `cel.py`."""
        made = super().model_schema(schema)
        made.pop("title", None)
        made["description"] = " ".join(made.get("description", "").split())
        model = schema["cls"]
        for name, field in made["properties"].items():
            if "description" in field:  # else it has the words of its own model
                field["description"] = " ".join(field["description"].split())
            if field.get("type") == "array":
                key = cel.KEYS.get(model, {}).get(name)
                field[LIST_TYPE] = "set" if name in cel.SETS.get(model, ()) else "atomic"
                if key:
                    field |= {LIST_TYPE: "map", LIST_KEYS: [key]}
        if rules := cel.RULES.get(model):
            made[RULES] = [rule.document() for rule in rules]
        if apart := cel.APART.get(model):
            made[ANY_OF] = [{"not": {"required": [field]}} for field in apart]
        return made


def _said(default: object) -> object:
    """Return a default without what is empty in it, or None where nothing is left."""
    if is_mapping(default):
        kept = {str(key): item for key, one in default.items() if (item := _said(one)) is not None}
        return kept or None
    return None if default in ("", []) else default
