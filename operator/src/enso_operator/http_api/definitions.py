"""The manifest of a job as somebody applied it, and as the job is defined now.

Defaults are left out of both: an API server has added them to what somebody applied.
"""

from __future__ import annotations

from dataclasses import dataclass

from enso_operator.api.document import Document
from enso_operator.api.ensoaction import ResumeSpec
from enso_operator.manifests.changes import changed_manifest, difference
from enso_operator.manifests.defaults import without_defaults
from job_execution_framework.domain.definition import Definition

FIELDS = ("name", "namespace", "labels", "annotations", "creationTimestamp", "uid")
"""Metadata that people look for."""
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""An annotation of kubectl with the whole manifest once more."""


@dataclass(frozen=True)
class Manifests:
    """Both."""

    present: Document
    """As the job is defined now: with what a template gives and resumes have changed."""
    applied: Document | None = None
    """None where that is not kept, or the same."""


def manifests_of(
    applied: Document, written_out: Document, before: Definition, after: Definition
) -> Manifests:
    """Return both, without what only a cluster reads.

    `written_out` has what a template gives, and describes the definition `before`. Raises
    InvalidJob.
    """
    changes = ResumeSpec.model_validate(difference(before, after))
    has_changes = bool(changes.scripts or changes.sessions)
    present = changed_manifest(written_out, changes) if has_changes else written_out
    shown, original = _for_people(present), _for_people(applied)
    return Manifests(shown, original if original != shown else None)


def _for_people(document: Document) -> Document:
    metadata = {key: value for key, value in document["metadata"].items() if key in FIELDS}
    annotations = dict(metadata.pop("annotations", {}))
    annotations.pop(LAST_APPLIED, None)
    if annotations:
        metadata["annotations"] = annotations
    kept: Document = {key: document[key] for key in ("apiVersion", "kind") if key in document}
    return without_defaults({**kept, "metadata": metadata, "spec": document["spec"]})
