"""``enso scripts push``: the scripts of a folder as EnsoScripts of a namespace.

Each is applied by the API server (server-side apply), so that a second push changes nothing, and
what somebody else has set is not overwritten. A label tells which folder a script is from, for
`--prune`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from enso_operator.api.document import Document
from enso_operator.api.fields import LABEL_VALUE, PATTERN_HINTS
from enso_operator.cli.display import REFUSED, refuse
from enso_operator.cli.scripts.check import PROBLEMS, read_files
from enso_operator.cli.scripts.files import ScriptFile, problems_of
from enso_operator.kube.workstation.api_server import ApiServer
from enso_operator.kube.workstation.errors import Answered, NoSuchName, NotInstalled

PUSHED = 0
"""Exit code."""
LABEL = "enso.dev/pushed-from"


@dataclass(frozen=True)
class Push:
    """What is pushed, and how."""

    folder: Path
    label: str
    """The value of the label; that of the folder's name where it is empty."""
    prunes: bool = False
    """Whether scripts with this label that the folder has no more are deleted."""
    is_dry_run: bool = False


def push(api: ApiServer, what: Push) -> int:
    """Apply all scripts of the folder, unless one of them has a problem; return the exit code."""
    label = what.label or what.folder.resolve().name
    if not label or len(label) > 63 or not re.fullmatch(LABEL_VALUE, label):  # noqa: PLR2004  # Kubernetes' own
        return refuse(
            f"{label!r} is no value of a label: give one with --as; {PATTERN_HINTS[LABEL_VALUE]}"
        )
    files = read_files(what.folder)
    if isinstance(files, str):
        return refuse(files)
    if problems := problems_of(files):
        for problem in problems:
            refuse(problem)
        return PROBLEMS
    refused = [file.name for file in files if not _is_applied(api, file, label, what)]
    if what.prunes:
        _prune(api, {file.name for file in files}, label, what)
    return REFUSED if refused else PUSHED


def _is_applied(api: ApiServer, file: ScriptFile, label: str, what: Push) -> bool:
    """Apply one script, and say what came of it."""
    path = api.path("ensoscripts", file.name)
    document = file.document()
    document["metadata"] |= {"namespace": api.access.namespace, "labels": {LABEL: label}}
    try:
        before = _stored(api, path)
        after = api.apply(path, document, is_dry_run=what.is_dry_run)
    except NotInstalled:
        raise
    except Answered as error:
        refuse(f"{file.name}: {error}")
        return False
    _say(file.name, "created" if before is None else _outcome(before, after), what)
    return True


def _stored(api: ApiServer, path: str) -> Document | None:
    try:
        return api.get(path)
    except NoSuchName:
        return None


def _outcome(before: Document, after: Document) -> str:
    same = before["spec"] == after["spec"] and _label(before) == _label(after)
    return "unchanged" if same else "changed"


def _label(document: Document) -> object:
    return document["metadata"].get("labels", {}).get(LABEL)


def _prune(api: ApiServer, kept: set[str], label: str, what: Push) -> None:
    """Delete scripts of an earlier push from this folder that it has no more."""
    query = {"labelSelector": f"{LABEL}={label}"}
    stored = [item for page in api.pages(api.path("ensoscripts"), query) for item in page["items"]]
    for metadata in (script["metadata"] for script in stored):
        if metadata["name"] not in kept:
            if not what.is_dry_run:
                api.delete(api.path("ensoscripts", metadata["name"]), uid=metadata["uid"])
            _say(metadata["name"], "deleted", what)


def _say(name: str, outcome: str, what: Push) -> None:
    print(
        f"{name}: {outcome}{' (dry run: nothing was done)' if what.is_dry_run else ''}", flush=True
    )
