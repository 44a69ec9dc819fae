"""`enso why`: shows the failure card of a job, or a sentence why there is none."""

from __future__ import annotations

from enso_operator.api.document import Document
from enso_operator.cli.jobs import documents
from enso_operator.cli.jobs.connect import job_of
from enso_operator.kube.workstation.api_server import ApiServer

EXPLAINED, NOT_FAILED = 0, 1
"""Exit codes."""


def explain(api: ApiServer, name: str) -> int:
    """Print why a job failed; return the exit code."""
    document = job_of(api, name)
    card = card_of(document)
    print("\n".join(card) if card else why_not(document))
    return EXPLAINED if card else NOT_FAILED


def card_of(document: Document) -> list[str]:
    """Return the lines of the failure card; none where the job has not failed."""
    if documents.state(document) != "Failed":
        return []
    lines: list[str] = documents.status(document).get("why") or []
    return lines or [str(documents.condition(document, "Succeeded").get("message"))]


def why_not(document: Document) -> str:
    """Return why there is nothing to explain."""
    name, state = documents.name_of(document), documents.state(document)
    message = documents.condition(document, "Succeeded").get("message")
    if not documents.status(document).get("conditions"):
        message = "no operator has looked at it yet"
    return f"{name} has not failed, it is {state}" + (f": {message}" if message else "")
