"""Leaves out of an EnsoJob what says nothing, for people who read it; `http_api` shows it so."""

from __future__ import annotations

from pydantic import ValidationError

from enso_operator.api.document import Document
from enso_operator.api.v1alpha1 import EnsoJob
from job_execution_framework.domain.values import is_list, is_mapping


def without_defaults(document: Document) -> Document:
    """Return an EnsoJob without the fields that have their defaults; it means the same.

    Fields that this release does not know stay, and so does all of what is no EnsoJob.
    """
    try:
        job = EnsoJob.model_validate(document)
    except ValidationError:
        return document
    known = job.model_dump(by_alias=True, mode="json")
    said = job.model_dump(by_alias=True, mode="json", exclude_defaults=True)
    spec = _kept(document["spec"], known["spec"], said.get("spec", {}))
    return {**document, "spec": spec}


def _kept(part: object, known: object, said: object) -> object:
    """Return `part` without the keys that are known and, as they have their defaults, not said."""
    if is_mapping(part) and is_mapping(known) and is_mapping(said):
        return {
            key: _kept(value, known.get(key), said.get(key))
            for key, value in part.items()
            if key in said or key not in known
        }
    if is_list(part) and is_list(known) and is_list(said):
        return [_kept(*parts) for parts in zip(part, known, said, strict=True)]
    return part
