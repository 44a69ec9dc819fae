"""Objects, alone and in pages of lists, of which only the few fields are read that somebody needs.

`json.loads` makes a Python object of each value. Of a job of ten scripts that has ended those are
some five hundred, most of them in its managedFields, and whoever lists thousands needs ten.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from enso_operator.api.document import Document
from enso_operator.kube import json_reader
from job_execution_framework.service_layer import bounded_json

Reader = Callable[[bytes], object]
"""Returns what is read of a page. May raise ValueError."""
T = TypeVar("T")
whole: Reader = json_reader.loads_cut
"""Reads all of each object, without what is nested too deeply."""


class Page(TypedDict, Generic[T]):
    """Objects of a list, and in its metadata how it goes on."""

    metadata: Document
    items: list[T] | None


class _Metadata(TypedDict):
    """What tells one version of an object from all others."""

    name: str
    uid: str
    resourceVersion: str


class _Named(TypedDict):
    """An object of any kind."""

    metadata: _Metadata


def reader_of(page: TypeAdapter[Any]) -> Reader:
    """Return what reads the fields that `page`, or an object, names, and passes over all others."""

    def read(data: bytes) -> object:
        try:
            return page.validate_json(data)
        except ValidationError:  # one of the objects may be nested too deeply: somebody stored it
            return page.validate_json(bounded_json.cut(data))

    return read


identity = reader_of(TypeAdapter(_Named))
"""Reads of an object which it is: enough of an answer to know that a write was done."""
named = reader_of(TypeAdapter(Page[_Named]))
"""Reads the metadata of objects of any kind."""
