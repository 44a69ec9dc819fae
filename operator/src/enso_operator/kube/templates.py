"""Finds the EnsoJobTemplate of a run, and expands it.

`definitions.py` calls it at the first sight of a job, and where what was pinned then is lost.
"""

from __future__ import annotations

from contextlib import suppress

from enso_operator.api.status import TemplateStatus
from enso_operator.api.template import EnsoJobTemplate
from enso_operator.api.v1alpha1 import TemplateReference
from enso_operator.kube.client import NoSuchObject
from enso_operator.kube.definition_names import definition_name
from enso_operator.kube.ensojob import EnsoJobObject, Expansion, expansion_data
from enso_operator.kube.objects import Objects, similar_name
from enso_operator.manifests.render import parse_ensojob
from enso_operator.manifests.template import expanded as spec_of
from enso_operator.manifests.template import parse_template
from job_execution_framework.domain.cause import Reason
from job_execution_framework.domain.errors import InvalidJob, NotYet

TEMPLATES = "ensojobtemplates"
"""The plural in paths of the API server."""


class TemplateMissing(NotYet):
    """The template of a run, or the generation that it asks for, is not there yet."""


def expanded(ensojob: EnsoJobObject, templates: Objects) -> EnsoJobObject:
    """Return a run of a template with what the template makes of it now.

    Raises InvalidJob, TemplateMissing, Unavailable and Refused.
    """
    spec = parse_ensojob(ensojob.document).spec
    if spec.template_ref is None:
        return ensojob
    name = spec.template_ref.name
    template, generation = find(spec.template_ref, templates)
    try:
        of_template = spec_of(template, spec.params)
    except InvalidJob as error:
        raise InvalidJob(f"template {name} cannot be run so: {error}") from error
    status = TemplateStatus(
        name=name,
        generation=generation,
        ttl_seconds_after_finished=of_template.get("ttlSecondsAfterFinished"),
    )
    data = expansion_data(status, of_template)
    revision = definition_name(ensojob.name, ensojob.uid, 1, data)
    return ensojob.with_expansion(Expansion(revision, status, of_template))


def find(reference: TemplateReference, templates: Objects) -> tuple[EnsoJobTemplate, int]:
    """Return the template, and its generation. Raises as `expanded` does."""
    name, wanted = reference.name, reference.generation
    try:
        document = templates.get(name)
    except NoSuchObject as error:
        raise TemplateMissing(_not_found(name, templates), Reason.TEMPLATE_NOT_FOUND) from error
    generation = int(document["metadata"]["generation"])
    if wanted is not None and wanted > generation:
        raise TemplateMissing(
            f"template {name} is of generation {generation}, and generation {wanted} is asked for",
            Reason.TEMPLATE_NOT_FOUND,
        )
    if wanted is not None and wanted < generation:
        raise InvalidJob(
            f"template {name} is of generation {generation} now, and generation {wanted}, which "
            "spec.templateRef asks for, does not come back: ask for the present one, or for none"
        )
    try:
        return parse_template(document), generation
    except InvalidJob as error:
        raise InvalidJob(f"template {name} makes no job: {error}") from error


def _not_found(name: str, templates: Objects) -> str:
    similar = ""
    with suppress(NoSuchObject):  # of a cluster without our CRDs
        similar = similar_name(templates, name)
    hint = f"did you mean {similar}?" if similar else "apply it"
    return f"there is no EnsoJobTemplate {name} in namespace {templates.namespace}: {hint}"
