"""A Kubernetes object as JSON has it, before a wire model reads it or after one has written it."""

from __future__ import annotations

from typing import Any, TypeGuard

Document = dict[str, Any]


def is_document(value: object) -> TypeGuard[Document]:
    """Whether a value that JSON has made is an object."""
    return isinstance(value, dict)
