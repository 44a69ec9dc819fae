"""The CRDs of deploy/crds, generated from the wire models. `make manifests` writes them.

The schemas come from pydantic. This module converts them to the subset of JSON schema that the API
server accepts ("structural schemas"), adds keys and rules from `cel.py`, and calls `structural.py`,
which refuses what the API server would reject or silently drop.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from enso_operator.api import cel, creation_rules, light_writes, structural
from enso_operator.api.cel_rule import Rule
from enso_operator.api.ensoaction import EnsoAction, EnsoActionStatus
from enso_operator.api.status import EnsoJobStatus
from enso_operator.api.structural import ANY_OF, ANYTHING, LIST_KEYS, LIST_TYPE, RULES
from enso_operator.api.template import LONGEST_TEMPLATE_NAME, EnsoJobTemplate
from enso_operator.api.template_schema import with_references
from enso_operator.api.v1alpha1 import GROUP, VERSION, EnsoJob, EnsoScript
from job_execution_framework.domain.values import is_mapping

HEADER = "# Written by `make manifests` from the models in operator/src/enso_operator/api.\n"


def crds() -> dict[str, str]:
    """Return the text of each CRD by the name of its file."""
    job = _schema(
        EnsoJob,
        (
            *cel.name_rules(52, "names of Pods are made from it"),
            *creation_rules.immutable(),
        ),
        status=EnsoJobStatus,
    )
    script = _schema(EnsoScript, cel.name_rules(63, "a scriptRef has no more"))
    action = _schema(
        EnsoAction, cel.name_rules(63, "the job remembers it"), status=EnsoActionStatus
    )
    template = _schema(
        EnsoJobTemplate, cel.name_rules(LONGEST_TEMPLATE_NAME, "names of its runs are made from it")
    )
    _let_references_stand(template, job)
    fields = job["properties"]
    fields["spec"] = creation_rules.at_creation(light_writes.with_whole_items(fields["spec"]))
    fields["status"] = light_writes.with_whole_objects(fields["status"])
    return {
        "ensojobs.yaml": _text(_crd("EnsoJob", "ensoj", job, _JOB_COLUMNS, _JOB_SELECTABLE)),
        "ensoscripts.yaml": _text(_crd("EnsoScript", "ensos", script, _DESCRIBED_COLUMNS)),
        "ensoactions.yaml": _text(
            _crd("EnsoAction", "ensoact", action, _ACTION_COLUMNS, [".spec.job", ".spec.verb"])
        ),
        "ensojobtemplates.yaml": _text(
            _crd("EnsoJobTemplate", "ensot", template, _DESCRIBED_COLUMNS)
        ),
    }


def _let_references_stand(template: structural.Schema, job: structural.Schema) -> None:
    """Give `spec.job` of a template the fields of a job's spec, with room for references."""
    fields = template["properties"]["spec"]["properties"]
    described = {"description": fields["job"]["description"]}
    fields["job"] = with_references(job["properties"]["spec"]) | described
    structural.check(fields["job"], "spec.job")


def _column(name: str, path: str, kind: str = "string", *, wide: bool = False) -> dict[str, object]:
    priority: dict[str, object] = {"priority": 1} if wide else {}
    return {"name": name, "type": kind, "jsonPath": path} | priority


_AGE = _column("Age", ".metadata.creationTimestamp", "date")
_JOB_COLUMNS = [
    _column("Status", '.status.conditions[?(@.type=="Succeeded")].reason'),
    _column("Activity", ".status.activity"),
    _column("Done", ".status.done"),
    _column("Script", ".status.script"),
    _column("Progress", ".status.progress"),
    _column("Reason", ".status.reason"),
    _AGE,
    _column("Error", ".status.failure.error", wide=True),
    _column("Finished", ".status.completionTime", "date", wide=True),
    _column("Pod", ".status.pod", wide=True),
    _column("Template", ".spec.templateRef.name", wide=True),
]
_JOB_SELECTABLE = [".spec.suspend", ".status.completionTime"]
"""The second tells what has ended from what has not: `kube/finished.py` selects by it."""
_DESCRIBED_COLUMNS = [_column("Description", ".spec.description"), _AGE]
"""The columns of EnsoScripts and EnsoJobTemplates."""
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
    schema = model.model_json_schema(schema_generator=_StructuralSchemas)
    return _inlined(schema, schema.pop("$defs", {}), path, ())


def _schema(
    model: type[BaseModel], rules: tuple[Rule, ...], *, status: type[BaseModel] | None = None
) -> structural.Schema:
    """Return the schema of a whole resource; the API server has its own for the metadata.

    The default of a status says that no operator has written it yet.
    """
    schema: dict[str, Any] = _generated(model, model.__name__)
    fields = schema["properties"]
    structural.check(fields["spec"], "spec")
    type_meta = {
        name: {"type": "string", "description": fields[name]["description"]}
        for name in ("apiVersion", "kind")
    }
    spec = light_writes.with_told_defaults(fields["spec"])
    properties = {**type_meta, "metadata": {"type": "object"}, "spec": spec}
    if status:
        told = light_writes.with_told_defaults(schema_of(status, "status"))
        properties["status"] = told | {"default": {"observedGeneration": -1}}
    return {
        "type": "object",
        "description": schema["description"],
        "properties": properties,
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
        version["selectableFields"] = [{"jsonPath": path} for path in selectable]
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
    """Writes repeated values in full: the API server's YAML has no aliases."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  # its name in the base
        return True


def _inlined(
    schema: dict[str, Any], definitions: dict[str, Any], path: str, ancestors: tuple[str, ...]
) -> dict[str, Any]:
    """Return the schema with each reference replaced by the definition that it names."""
    inlined = dict(schema)
    if reference := inlined.pop("$ref", None):
        name = str(reference).rpartition("/")[2]
        if name in ancestors:
            raise structural.NotStructural(
                f"{path}: {name} contains itself: a structural schema ends"
            )
        return _inlined({**definitions[name], **inlined}, definitions, path, (*ancestors, name))
    for key in ("items", "additionalProperties"):
        if isinstance(inlined.get(key), dict):
            inlined[key] = _inlined(inlined[key], definitions, f"{path}[]", ancestors)
    if "properties" in inlined:
        inlined["properties"] = {
            name: _inlined(field, definitions, f"{path}.{name}", ancestors)
            for name, field in inlined["properties"].items()
        }
    return inlined


class _StructuralSchemas(GenerateJsonSchema):
    """Generates structural schemas where pydantic would use other parts of JSON schema."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002  # as in the base
        return False

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """Leave null out: an absent field means the same, and the server prunes nulls."""
        return self.generate_inner(schema["schema"])

    def literal_schema(self, schema: core_schema.LiteralSchema) -> JsonSchemaValue:
        """Write a single value as an enum: the server drops a const."""
        json = super().literal_schema(schema)
        return json | {"enum": [json.pop("const")]} if "const" in json else json

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """Write the pattern of keys as a rule, and keep values of any type as they are.

        If the whole map were free (preserve-unknown-fields), CEL would not compare it correctly:
        only the keys of one side.
        """
        json = super().dict_schema(schema)
        keys = json.pop("propertyNames", {})
        if patterns := json.pop("patternProperties", None):
            ((pattern, json["additionalProperties"]),) = patterns.items()
            json[RULES] = [cel.key_rule(pattern, keys["maxLength"]).document()]
        if json.get("additionalProperties") in (True, {}):
            json["additionalProperties"] = dict(ANYTHING)
        return json

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Write only defaults that are not empty; also those that a factory returns."""
        json = super().default_schema(schema)
        default = json.pop("default", None)
        if "default_factory" in schema and not schema.get("default_factory_takes_data"):
            factory: Any = schema["default_factory"]
            default = factory()
        return (
            json | {"default": default}
            if (default := _without_empty(default)) is not None
            else json
        )

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """Add the keys of lists and the rules that `cel.py` has for the model."""
        json = super().model_schema(schema)
        json.pop("title", None)
        json["description"] = " ".join(json.get("description", "").split())
        model = schema["cls"]
        for name, field in json["properties"].items():
            if "description" in field:  # else it has the description of its own model
                field["description"] = " ".join(field["description"].split())
            if field.get("type") == "array":
                key = cel.KEYS.get(model, {}).get(name)
                field[LIST_TYPE] = "set" if name in cel.SETS.get(model, ()) else "atomic"
                if key:
                    field |= {LIST_TYPE: "map", LIST_KEYS: [key]}
        if rules := cel.RULES.get(model):
            json[RULES] = [rule.document() for rule in rules]
        if exclusive := cel.MUTUALLY_EXCLUSIVE.get(model):
            json[ANY_OF] = [{"not": {"required": [field]}} for field in exclusive]
        return json


def _without_empty(default: object) -> object:
    """Return a default without empty values in it, or None where nothing is left."""
    if is_mapping(default):
        kept = {
            str(key): kept_value
            for key, value in default.items()
            if (kept_value := _without_empty(value)) is not None
        }
        return kept or None
    return None if default in ("", []) else default
