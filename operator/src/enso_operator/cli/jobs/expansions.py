"""What a template has made of a run, for the commands that show scripts.

The operator pins it in a ControllerRevision at first sight (`kube/definitions.py`). It does
without the wire models, which are slow to import.
"""

from __future__ import annotations

from enso_operator.api.document import Document
from enso_operator.cli.jobs import documents
from enso_operator.cli.jobs.started_with import changes_in
from enso_operator.kube.workstation.api_server import ApiServer
from enso_operator.kube.workstation.errors import Answered


def with_scripts(api: ApiServer, document: Document) -> Document:
    """Return a run of a template with the scripts that it has; any other job as it is.

    A run that no operator has seen yet, or whose ControllerRevision is lost, has none.
    """
    data = pinned(api, document)
    return document | {"spec": data["spec"] | document["spec"]} if data else document


def pinned(api: ApiServer, document: Document) -> Document | None:
    """Return what the ControllerRevision of a run holds; None if there is none, or it is lost."""
    ledger: Document = documents.status(document).get("ledger") or {}
    entries: list[Document] = ledger.get("definitions") or []
    if not document["spec"].get("templateRef") or not entries:
        return None
    try:
        return changes_in(api, document, 1, str(entries[0]["name"]))
    except Answered:
        return None
