"""The arguments with which scripts were started, for `enso show`; resumes may have changed them.

A job's manifest has the original arguments. What a resume changed is in a ControllerRevision that
the job's status names. Each attempt has the number of the definition that it was started with.
`enso plan` reads the changes here, too.
"""

from __future__ import annotations

from enso_operator.api.document import Document
from enso_operator.cli.jobs import documents, scripts
from enso_operator.kube.definition_names import definition_name
from enso_operator.kube.workstation.api_server import ApiServer
from enso_operator.kube.workstation.errors import Answered


def started_with(api: ApiServer, document: Document) -> dict[str, Document | str]:
    """Return for each script the arguments of its latest attempt, or why they are unknown.

    For a script that has not started, return the arguments that it will be started with. Of a run
    of a template whose expansion is lost nothing is known.
    """
    if not scripts.of(document):
        return {}
    ledger: Document = documents.status(document).get("ledger") or {}
    names = {
        definition["number"]: str(definition["name"])
        for definition in ledger.get("definitions") or ()
        if definition["number"] > 1
    }
    changes = {number: _changes(api, document, number, name) for number, name in names.items()}
    newest = max(names, default=1)
    arguments: dict[str, Document | str] = {}
    for script, row in zip(scripts.of(document), scripts.rows(document), strict=True):
        number = row.get("definition") or 1 if row.get("attempt") else newest
        changed = changes.get(number, {})
        arguments[script["name"]] = changed if isinstance(changed, str) else _args(script, changed)
    return arguments


def _changes(api: ApiServer, document: Document, number: int, name: str) -> Document | str:
    """Return the changes of a definition from the manifest, or why they are unknown."""
    try:
        data = changes_in(api, document, number, name)
    except Answered as error:
        return f"not known: {error}"
    return f"not known: ControllerRevision {name} was changed" if data is None else data


def changes_in(api: ApiServer, document: Document, number: int, name: str) -> Document | None:
    """Return what a ControllerRevision of the job holds; None where it was changed.

    Raises Answered.
    """
    job, uid = documents.name_of(document), str(document["metadata"]["uid"])
    data: Document | None = api.get(api.path("controllerrevisions", name)).get("data")
    return data if definition_name(job, uid, number, data) == name else None


def _args(script: Document, changed: Document) -> Document:
    args: Document = dict(script.get("args") or {})
    for change in changed.get("scripts") or ():
        if change["name"] == script["name"]:
            args |= change.get("args") or {}
            args = {key: args[key] for key in args if key not in (change.get("unsetArgs") or ())}
    return args
