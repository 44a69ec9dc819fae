"""``enso scripts show`` and ``list``: what a script takes, and which scripts there are."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from enso_operator.api.document import Document
from enso_operator.api.v1alpha1 import EnsoScript
from enso_operator.cli.display import refuse
from enso_operator.cli.jobs import names, output
from enso_operator.cli.jobs.table import Column, Screen, table
from enso_operator.cli.scripts.files import ScriptFile, name_of
from enso_operator.kube.workstation.api_server import TABLE, ApiServer
from enso_operator.kube.workstation.errors import NoSuchName
from enso_operator.manifests.parameters import parameters_of
from job_execution_framework.domain.errors import ScriptNotFound
from job_execution_framework.domain.parameters import ABSENT, Parameter, Parameters, shown
from job_execution_framework.domain.script import Source
from job_execution_framework.service_layer.library import ScriptLibrary

SHOWN = 0
"""Exit code."""
_COLUMNS = (
    Column("PARAMETER"),
    Column("TAKES", 16),
    Column("DEFAULT", 10),
    Column("DESCRIPTION", 16),
)
_LIST = (Column("NAME"), Column("DESCRIPTION", 16))


def show(api: ApiServer, name: str, form: str | None) -> int:
    """Print the EnsoScript of this name; return the exit code."""
    try:
        document = api.get(api.path("ensoscripts", name_of(name)))
    except NoSuchName:
        where = f"in namespace {api.access.namespace}"
        similar = names.suggestions(api, name_of(name), "ensoscripts")
        return refuse(f"there is no script {name!r} {where}{similar}")
    if form:
        print(output.text(document, form))
        return SHOWN
    try:
        spec = EnsoScript.model_validate(document).spec
    except ValidationError as error:
        return refuse(f"EnsoScript {name!r} is of a newer release: {error.errors()[0]['msg']}")
    _print(name_of(name), spec.description, parameters_of(spec))
    return SHOWN


def show_local(name: str, form: str | None) -> int:
    """Print the script that the library of this machine has by this name; return the exit code."""
    try:
        work = ScriptLibrary().find(name)
    except ScriptNotFound as error:
        return refuse(str(error))
    if not isinstance(work, Source):
        print(f"{name}: {work.reference}, which is not read: any arguments are taken")
        return SHOWN
    file = ScriptFile(name_of(name), work)
    if form:
        print(output.text(file.document(), form))
        return SHOWN
    _print(file.name, file.description, file.parameters)
    return SHOWN


def list_scripts(api: ApiServer, form: str | None) -> int:
    """Print the EnsoScripts of the namespace; return the exit code."""
    if form in output.WHOLE:
        items = [item for page in api.pages(api.path("ensoscripts")) for item in page["items"]]
        listed: Document = {"apiVersion": "v1", "kind": "List", "items": items}
        print(output.text(listed, form or ""))
        return SHOWN
    _print_list([*_rows(api)], f"namespace {api.access.namespace} has no scripts", form)
    return SHOWN


def list_local(form: str | None) -> int:
    """Print the scripts that the library of this machine has; return the exit code."""
    library = ScriptLibrary()
    names = library.names()
    files = [
        ScriptFile(name_of(name), work)
        for name in names
        if isinstance(work := library.find(name), Source)
    ]
    if form in output.WHOLE:
        items = [file.document() for file in files]
        print(output.text({"apiVersion": "v1", "kind": "List", "items": items}, form or ""))
        return SHOWN
    described = {file.name: file.description for file in files}
    rows = [(name_of(name), described.get(name_of(name), "")) for name in names]
    _print_list(rows, "this machine has no scripts", form)
    return SHOWN


def _print_list(rows: list[tuple[str, str]], nothing: str, form: str | None) -> None:
    if form == "name":
        lines = [f"ensoscript.enso.dev/{name}" for name, _ in rows]
    else:
        lines = table(_LIST, rows, Screen.of_output()) if rows else [nothing]
    if lines:
        print("\n".join(lines))


def _rows(api: ApiServer) -> Iterator[tuple[str, str]]:
    """Yield the name and the description of each EnsoScript; nothing else of them is fetched."""
    query = {"includeObject": "None"}
    for page in api.pages(api.path("ensoscripts"), query, accept=TABLE):
        for row in page["rows"] or ():
            name, description = row["cells"][:2]
            yield str(name), str(description or "")


def _print(name: str, description: str, takes: Parameters | None) -> None:
    print(f"{name}: {description}" if description else name)
    if takes is None:
        print("what it takes is not known: any arguments are taken")
        return
    rows = [_row(parameter) for parameter in takes.listed]
    if rows:
        print("\n".join(["", *table(_COLUMNS, rows, Screen.of_output())]))
    if takes.takes_others or not rows:
        print(
            "it takes any other arguments, too" if takes.takes_others else "it takes no arguments"
        )


def _row(one: Parameter) -> tuple[str, str, str, str]:
    default = "" if one.default is ABSENT else shown(one.default)
    takes = ", ".join(
        filter(None, (one.takes, "to " + one.access if one.access else "", "secret" * one.secret))
    )
    return one.name, takes, "(required)" if one.required else default, one.description
