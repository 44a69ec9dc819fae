"""JSON merge patches (RFC 7386) that an API server would not apply as they are meant.

`client` asks. An API server takes each null out of the objects in a list, where outputs of scripts
may have some.
"""

from __future__ import annotations

from enso_operator.api.document import Document, is_document
from job_execution_framework.domain.values import is_list, is_mapping


def has_null_in_list(value: object, *, in_list: bool = False) -> bool:
    """Whether a patch has a null within a list."""
    if is_mapping(value):
        return any(has_null_in_list(item, in_list=in_list) for item in value.values())
    if is_list(value):
        return any(has_null_in_list(item, in_list=True) for item in value)
    return in_list and value is None


def merged(before: object, patch: Document) -> Document:
    """Return what the patch makes of a document."""
    after: Document = {**before} if is_document(before) else {}
    for key, value in patch.items():
        if value is None:
            after.pop(key, None)
        else:
            after[key] = merged(after.get(key), value) if is_document(value) else value
    return after
