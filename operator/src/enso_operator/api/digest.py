"""A digest of what an EnsoJob asks for: how the operator knows the spec of its first sight again.

The API server refuses changes of a spec, but not every one does: an older CRD may be installed
there, and somebody may replace it while jobs run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import cache
from typing import get_args

from pydantic import BaseModel

from enso_operator.api.cel import MUTABLE
from enso_operator.api.v1alpha1 import EnsoJobSpec

_HEX = 32


def digest_of(spec: EnsoJobSpec) -> str:
    """Return the digest of what the author set, behind the version of what it is over.

    What equals its default is left out: a newer CRD fills its defaults into old objects. So is
    what may change.
    """
    asked = spec.model_dump(by_alias=True, exclude_defaults=True)
    asked = {key: value for key, value in asked.items() if key not in MUTABLE}
    return f"{_version()}-{_hash(asked)[:_HEX]}"


def is_comparable(digest: str) -> bool:
    """Whether whoever made the digest knew the same fields as we do.

    Of a field that only one of us knows the other's digest says nothing.
    """
    return digest.partition("-")[0] == _version()


@cache
def _version() -> str:
    return _hash(sorted(_fields(EnsoJobSpec)))[:8]


def _fields(model: type[BaseModel]) -> Iterator[str]:
    """Yield each field of the model, and of the models in it, with its default."""
    for name, info in model.model_fields.items():
        default = "" if info.is_required() else repr(info.get_default(call_default_factory=True))
        yield f"{model.__name__}.{name}={default}"
        for below in _models_in(info.annotation):
            yield from _fields(below)


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
