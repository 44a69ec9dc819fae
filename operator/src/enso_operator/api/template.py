"""EnsoJobTemplate, a definition with parameters: the wire model of enso.dev/v1alpha1.

The CRD is generated from it, and the sentence below each field is what `kubectl explain` says.
What `spec.job` may hold is a job's spec in which references may stand: `template_schema.py`.
"""

from __future__ import annotations

import secrets
from typing import Annotated, Literal

from pydantic import Field

from enso_operator.api.fields import NAME, LabelValue, Name, QualifiedName, WireModel
from enso_operator.api.v1alpha1 import MOST_PARAMETERS, ParameterSpec

LONGEST_TEMPLATE_NAME = 46
"""Characters of a template's name: a job's has up to 52, and its runs add '-' and five more."""


_SUFFIX_LENGTH = 5
_SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
"""Those of Kubernetes' own generated names, which spell no words."""
TemplateName = Annotated[str, Field(min_length=1, max_length=LONGEST_TEMPLATE_NAME, pattern=NAME)]


class TemplateMetadata(WireModel):
    """Metadata of the object."""

    name: TemplateName
    """The template's name, at most 46 characters: names of its runs are made from it."""
    namespace: Name | None = None
    """The namespace that the template and its runs live in."""
    labels: Annotated[dict[QualifiedName, LabelValue], Field(max_length=100)] = Field(
        default_factory=dict[str, str]
    )
    """Labels of the template. Runs that `enso start` creates get them, too, without tools' own."""


class EnsoJobTemplateSpec(WireModel):
    """A job with parameters; an EnsoJob that names it in templateRef is one run of it."""

    description: Annotated[str, Field(max_length=1024)] = ""
    """What the job does, for whoever looks for one."""
    parameters: Annotated[list[ParameterSpec], Field(max_length=MOST_PARAMETERS)] = Field(
        default_factory=list[ParameterSpec]
    )
    """The parameters, whose values a run gives in params."""
    job: Annotated[dict[str, object], Field(max_length=100)]
    """What an EnsoJob's spec may hold; $(params.NAME) in any text is a parameter's value."""


class EnsoJobTemplate(WireModel):
    """A definition of a job with parameters, kept in Git; an EnsoJob is one run of it."""

    api_version: Literal["enso.dev/v1alpha1"]
    """Version of the resource: enso.dev/v1alpha1."""
    kind: Literal["EnsoJobTemplate"]
    """Kind of the resource: EnsoJobTemplate."""
    metadata: TemplateMetadata
    """The template's name, namespace and labels."""
    spec: EnsoJobTemplateSpec
    """The parameters, and the job that they make."""


def new_run_name(template: str) -> str:
    """Return a name for a run of a template, as Kubernetes makes one of `generateName`."""
    suffix = "".join(secrets.choice(_SUFFIX_LETTERS) for _ in range(_SUFFIX_LENGTH))
    return f"{template}-{suffix}"
