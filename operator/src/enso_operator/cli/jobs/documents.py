"""What an EnsoJob's document says of its job. Pure, and without the wire models: they are slow.

What is said of conditions and names holds of an EnsoAction, too. Whoever wrote the document may be
another release: what is not there is left out.
"""

from __future__ import annotations

from datetime import datetime

from enso_operator.api.document import Document

WAITING, SUSPENDED = "Waiting", "Suspended"
_DETAILS_OF_WRITES = "managedFields"


def status(document: Document) -> Document:
    """Return the status; empty before an operator has looked at the job."""
    found: Document = document.get("status") or {}
    return found


def condition(document: Document, kind: str) -> Document:
    """Return the condition of this type, empty where there is none."""
    conditions: list[Document] = status(document).get("conditions") or []
    return next((found for found in conditions if found.get("type") == kind), Document())


def state(document: Document) -> str:
    """Return the state that people read; before an operator looked, the one that the spec means."""
    said = condition(document, "Succeeded").get("reason")
    before = SUSPENDED if document.get("spec", {}).get("suspend") else WAITING
    return str(said or before)


def is_finished(document: Document) -> bool:
    """Whether nothing of the job will happen any more by itself."""
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


def shown(document: Document, kind: str = "EnsoJob") -> Document:
    """Return the document as `kubectl get -o yaml` shows it, without who wrote which field."""
    metadata = {
        key: value for key, value in document["metadata"].items() if key != _DETAILS_OF_WRITES
    }
    about = {"apiVersion": "enso.dev/v1alpha1", "kind": kind}  # a list's items lack both
    return about | document | {"metadata": metadata}
