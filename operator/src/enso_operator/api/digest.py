"""A digest of the spec of an EnsoJob, by which the operator notices that the spec was changed.

`kube/ensojob.py` compares it with the digest in the job's status. The CRD has rules by which the
API server refuses such changes, but a cluster may have an older CRD, or somebody may replace the
CRD while jobs run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import cache
from typing import get_args

from pydantic import BaseModel

from enso_operator.api.creation_rules import MUTABLE
from enso_operator.api.v1alpha1 import EnsoJobSpec

_LENGTH = 32
"""Hexadecimal digits of the hash."""


def digest_of(spec: EnsoJobSpec) -> str:
    """Return `VERSION-HASH`: the version of the models, and the hash of the fields that are set.

    Fields that equal their default are left out: a CRD may fill defaults into objects, and another
    release's CRD others. Mutable fields are left out, too.
    """
    fields = spec.model_dump(by_alias=True, exclude_defaults=True)
    fields = {key: value for key, value in fields.items() if key not in MUTABLE}
    return f"{_version()}-{_hash(fields)[:_LENGTH]}"


def is_comparable(digest: str) -> bool:
    """Whether the digest was computed by a release whose models have the same fields as ours.

    Otherwise a field that only one of the releases has could make the digests differ.
    """
    return digest.partition("-")[0] == _version()


@cache
def _version() -> str:
    return _hash(sorted(_fields(EnsoJobSpec)))[:8]


def _fields(model: type[BaseModel]) -> Iterator[str]:
    """Yield each field of the model and of its nested models, with its default."""
    for name, info in model.model_fields.items():
        default = "" if info.is_required() else repr(info.get_default(call_default_factory=True))
        yield f"{model.__name__}.{name}={default}"
        for nested in _models_in(info.annotation):
            yield from _fields(nested)


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
