"""The files in deploy/crds are those generated from the models, and the examples are valid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from enso_operator.api.cel import IMMUTABLE
from enso_operator.api.crd import crds
from enso_operator.api.creation_rules import MUTABLE
from enso_operator.api.ensoaction import EnsoAction
from enso_operator.api.rules import broken_action_rules, broken_rules, broken_script_rules
from enso_operator.api.template import EnsoJobTemplate
from enso_operator.api.v1alpha1 import API_VERSION, EnsoJob, EnsoJobSpec, EnsoScript
from enso_operator.manifests.template import check_template
from tests.support.crds import parts

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").rglob("*.yaml"))


def schema_in(text: str) -> dict[str, Any]:
    (version,) = yaml.safe_load(text)["spec"]["versions"]
    schema: dict[str, Any] = version["schema"]["openAPIV3Schema"]
    return schema


def test_what_is_committed_is_what_is_generated() -> None:
    committed = {path.name: path.read_text() for path in (ROOT / "deploy/crds").iterdir()}
    assert committed == crds(), "run `make manifests`"


def test_a_field_of_a_job_is_immutable_unless_it_is_named() -> None:
    rules = schema_in(crds()["ensojobs.yaml"])["x-kubernetes-validations"]
    fields = {str(info.alias) for info in EnsoJobSpec.model_fields.values()}
    kept = {rule["fieldPath"][len(".spec.") :] for rule in rules if rule["message"] == IMMUTABLE}
    assert kept == fields - MUTABLE


def test_why_is_the_last_of_a_status() -> None:
    status = schema_in(crds()["ensojobs.yaml"])["properties"]["status"]
    assert list(status["properties"])[-1] == "why"


ARGUMENTS = "Arguments by their names: any JSON. Everyone who may read the job can read them."
FREE = {
    "ensojobs.yaml": [
        "What main returned in the latest attempt that succeeded: at most 4 KiB, 16 KiB of a job.",
        (
            "Values of the template's parameters, by name. Everyone who may read the job can read "
            "them."
        ),
        ARGUMENTS,  # of scripts
        ARGUMENTS,  # of finally
    ],
    "ensoactions.yaml": [
        "Arguments to add or to replace, any JSON; null is a value. Who may read it can read them."
    ],
    "ensoscripts.yaml": [
        "The argument that the script gets where a job gives it none.",
        "The only arguments that are taken; without it all of the type.",
    ],
}


# What is free in a template: tests/unit/operator/api/test_template_schema.py.
@pytest.mark.parametrize("name", sorted({*crds()} - {"ensojobtemplates.yaml"}))
def test_nothing_is_free_but_arguments_outputs_and_what_they_are_compared_with(name: str) -> None:
    schemas = [*parts(schema_in(crds()[name]))]
    free = [part for part in schemas if part.get("x-kubernetes-preserve-unknown-fields")]
    holders = [
        part
        for part in schemas
        if {*part} & {"additionalProperties", "items"}
        and (part.get("additionalProperties") or part["items"]) in free
    ]
    fields = [part for part in free if "description" in part]
    assert len(free) == len(holders) + len(fields)
    assert [part["description"] for part in (*fields, *holders)] == FREE.get(name, [])


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_parses(path: Path) -> None:
    documents = [document for document in yaml.safe_load_all(path.read_text()) if document]
    resources = [document for document in documents if document["apiVersion"] == API_VERSION]
    assert resources
    for document in resources:
        if document["kind"] == "EnsoJob":
            job = EnsoJob.model_validate(document, extra="forbid")
            assert list(broken_rules(job)) == []
        elif document["kind"] == "EnsoJobTemplate":
            check_template(EnsoJobTemplate.model_validate(document, extra="forbid"))
        elif document["kind"] == "EnsoAction":
            document["metadata"] = {"name": "made-of-generate-name"}
            action = EnsoAction.model_validate(document, extra="forbid")
            assert list(broken_action_rules(action.spec)) == []
        else:
            script = EnsoScript.model_validate(document, extra="forbid")
            assert list(broken_script_rules(script)) == []
