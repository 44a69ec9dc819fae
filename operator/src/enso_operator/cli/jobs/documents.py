"""Reads fields of an EnsoJob document, for all commands about jobs.

It does without the wire models, which are slow to import. The functions for conditions and names
work for EnsoActions, too. Another release may have written the document, so a field may be absent.
"""

from __future__ import annotations

from datetime import datetime

from enso_operator.api.document import Document

WAITING, SUSPENDED = "Waiting", "Suspended"


def status(document: Document) -> Document:
    """Return the status; empty before an operator has looked at the job."""
    read: Document = document.get("status") or {}
    return read


def condition(document: Document, kind: str) -> Document:
    """Return the condition of this type, empty where there is none."""
    conditions: list[Document] = status(document).get("conditions") or []
    return next((item for item in conditions if item.get("type") == kind), Document())


def state(document: Document) -> str:
    """Return the job's state; before an operator has written a status, by its spec."""
    reason = condition(document, "Succeeded").get("reason")
    initial = SUSPENDED if document.get("spec", {}).get("suspend") else WAITING
    return str(reason or initial)


def is_finished(document: Document) -> bool:
    """Whether the job has ended: nothing more will happen by itself."""
    return condition(document, "Finished").get("status") == "True"


def has_succeeded(document: Document) -> bool:
    """Whether every script is done."""
    return condition(document, "Succeeded").get("status") == "True"


def name_of(document: Document) -> str:
    """Return the name of an object."""
    return str(document["metadata"]["name"])


def time_of(text: object) -> datetime | None:
    """Return a time of a document."""
    return datetime.fromisoformat(str(text)) if text else None


def for_output(document: Document, kind: str = "EnsoJob") -> Document:
    """Return the document as `kubectl get -o yaml` shows it: without managedFields."""
    metadata = {key: value for key, value in document["metadata"].items() if key != "managedFields"}
    type_meta = {"apiVersion": "enso.dev/v1alpha1", "kind": kind}  # a list's items lack both
    return type_meta | document | {"metadata": metadata}
