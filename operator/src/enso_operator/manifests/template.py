"""From an EnsoJobTemplate and the values of its parameters to what a job runs.

The operator, `enso run`, `enso plan`, `enso start` and the HTTP API come through it, so they all
refuse the same, with the same sentences. CEL never sees an expansion: the rules between fields are
checked on it here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import ValidationError

from enso_operator.api.document import Document
from enso_operator.api.rules import broken_spec_rules
from enso_operator.api.template import EnsoJobTemplate
from enso_operator.api.v1alpha1 import EnsoJobSpec
from enso_operator.manifests.errors import mistakes_in, path_of, sentences
from enso_operator.manifests.expand import Mistakes, expand, references
from enso_operator.manifests.parameters import broken_parameters, parameters_of_template
from enso_operator.manifests.to_domain import definition_of
from job_execution_framework.domain.arguments import problems
from job_execution_framework.domain.errors import InvalidJob
from job_execution_framework.domain.parameters import Parameters, Type

PLACE = "spec.job"
"""The path of a job's spec in a template."""
OF_RUNS = ("suspend", "templateRef", "params")
"""Fields of a job's spec that a template does not have: each run has its own."""
TRACKING = (
    "app.kubernetes.io/instance",
    "app.kubernetes.io/managed-by",
    "argocd.argoproj.io/",
    "helm.toolkit.fluxcd.io/",
    "kustomize.toolkit.fluxcd.io/",
)
"""How labels begin by which a tool knows its own: it would delete a run that has them."""
Extra = Literal["ignore", "forbid"]


def parse_template(document: Document) -> EnsoJobTemplate:
    """Return the resource that a document is. Raises InvalidJob, with a sentence per mistake."""
    try:
        template = EnsoJobTemplate.model_validate(document)
    except ValidationError as error:
        raise InvalidJob(mistakes_in(document, error, EnsoJobTemplate)) from error
    check_template(template)
    return template


def check_template(template: EnsoJobTemplate) -> None:
    """Raise Mistakes where no values of its parameters would do."""
    if mistakes := [*_mistakes(template)]:
        raise Mistakes(mistakes)


def _mistakes(template: EnsoJobTemplate) -> Iterator[str]:
    yield from broken_parameters(template.spec)
    for parameter in template.spec.parameters:
        if {*"()="} & {*parameter.name}:
            yield f"spec.parameters[{parameter.name}] has one of ( ) = in its name: rename it"
        if parameter.secret:
            yield (
                f"spec.parameters[{parameter.name}] is secret, but whoever may read a job can read "
                "its params: take the value from a Secret, with argsFrom"
            )
    for field in OF_RUNS:
        if field in template.spec.job:
            yield f"{PLACE}.{field} is a matter of each run: write it in the EnsoJob"


def typed(template: EnsoJobTemplate, texts: Mapping[str, str]) -> dict[str, object]:
    """Return the values of parameters that were written as texts, as on a command line.

    A string or a path is the text itself, everything else is JSON. What is none stays a text, which
    `expanded` then refuses with a sentence.
    """
    kinds = {parameter.name: parameter.type for parameter in takes(template).listed}
    return {name: _typed(text, kinds.get(name)) for name, text in texts.items()}


def _typed(text: str, kind: Type | None) -> object:
    if kind in (None, Type.STRING, Type.PATH):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def takes(template: EnsoJobTemplate) -> Parameters:
    """Return the parameters of a template."""
    return parameters_of_template(template.spec)


def expanded(
    template: EnsoJobTemplate,
    params: Mapping[str, object],
    place: str = "spec.params",
    extra: Extra = "ignore",
) -> Document:
    """Return the spec of a job that a template and the values of its parameters make.

    `place` is where the values stand, for the sentences about them. Raises Mistakes, and other
    InvalidJob.
    """
    parameters = takes(template)
    name = f"template {template.metadata.name}"
    if mistakes := [
        f"{place}.{problem.parameter} {problem.why}"
        for problem in problems(name, parameters, params)
    ]:
        raise Mistakes(mistakes)
    names = [parameter.name for parameter in parameters.listed]
    spec = expand(template.spec.job, names, {**parameters.defaults, **params})
    definition_of(parse_spec(spec, extra), PLACE)
    return spec


def parse_spec(spec: Document, extra: Extra = "ignore") -> EnsoJobSpec:
    """Return what an expansion is. Raises Mistakes."""
    try:
        parsed = EnsoJobSpec.model_validate(spec, extra=extra, by_alias=True, by_name=False)
    except ValidationError as error:
        said = sentences(error.errors(include_url=False), EnsoJobSpec)
        raise Mistakes(
            [f"{PLACE}.{path_of(where, spec)} {what}" for where, what in said]
        ) from error
    if broken := [*broken_spec_rules(parsed, PLACE)]:
        raise Mistakes(broken)
    return parsed


def unused(template: EnsoJobTemplate) -> list[str]:
    """Return the parameters that the template's job does not refer to.

    That is a warning for authors only: a parameter may stay for those who still pass it.
    """
    used = {*references(template.spec.job)}
    return [declared.name for declared in template.spec.parameters if declared.name not in used]


def labels_of_runs(template: EnsoJobTemplate) -> dict[str, str]:
    """Return the labels that runs get of the template."""
    labels = template.metadata.labels.items()
    return {key: value for key, value in labels if not key.startswith(TRACKING)}


def run_of(template: EnsoJobTemplate, name: str, params: Mapping[str, object]) -> Document:
    """Return the EnsoJob that is a run of the template, with its labels."""
    own = labels_of_runs(template)
    labels: Document = {"labels": own} if own else {}
    return {
        "apiVersion": template.api_version,
        "kind": "EnsoJob",
        "metadata": {"name": name, **labels},
        "spec": {
            "templateRef": {"name": template.metadata.name},
            **({"params": dict(params)} if params else {}),
        },
    }


def as_written_out(job: Document, spec: Document) -> Document:
    """Return the EnsoJob of a run as if its author had written what the template makes of it.

    What else the run's own spec has, as activeDeadlineSeconds, replaces that of the template.
    """
    own = {
        name: value for name, value in job["spec"].items() if name not in ("templateRef", "params")
    }
    return job | {"spec": spec | own}
