"""`enso show`: one job with its scripts; why it failed comes first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from enso_operator.api.document import Document
from enso_operator.cli.jobs import documents, output, scripts, times
from enso_operator.cli.jobs.connect import job_of
from enso_operator.cli.jobs.expansions import with_scripts
from enso_operator.cli.jobs.started_with import started_with
from enso_operator.cli.jobs.table import Screen
from enso_operator.cli.jobs.why import card_of
from enso_operator.kube.workstation.api_server import ApiServer
from job_execution_framework.domain.cause import escaped
from job_execution_framework.domain.events import arguments
from job_execution_framework.domain.output_file import output_folder
from job_execution_framework.domain.outputs import OutputOf

SHOWN = 0


def show_job(api: ApiServer, name: str, form: str | None) -> int:
    """Print the job; return the exit code."""
    document = job_of(api, name)
    if form:
        print(output.text(documents.for_output(document), form))
    else:
        document = with_scripts(api, document)
        args, screen = started_with(api, document), Screen.of_output()
        print("\n".join(rendered(document, args, datetime.now(UTC), screen)))
    return SHOWN


def rendered(
    document: Document, args: Mapping[str, Document | str], now: datetime, screen: Screen
) -> list[str]:
    """Return the lines about a job; `args` has the arguments of each script (`started_with`)."""
    lines = [scripts.headline(document, screen)]
    if card := card_of(document):
        lines += ["", "Why:", *(f"  {line}" for line in card)]
    lines += ["", *scripts.rendered(document, now, screen)]
    if arguments_by_script := [*_arguments(document, args)]:
        width = max(len(name) for name, _ in arguments_by_script)
        lines += [
            "",
            "Arguments:",
            *(f"  {name:<{width}}  {text}" for name, text in arguments_by_script),
        ]
    return [*lines, "", *_metadata_lines(document, now)]


def _arguments(document: Document, args: Mapping[str, Document | str]) -> Iterator[tuple[str, str]]:
    """Yield the arguments of each script that has any; Secrets by their names."""
    for script in scripts.of(document):
        texts: list[str] = []
        if script_args := args[script["name"]]:
            text = script_args if isinstance(script_args, str) else arguments(script_args)
            texts.append(text)
        sources: list[Document] = script.get("argsFrom") or []
        texts += [f"{source.get('name')}=({_source(source)})" for source in sources]
        container: Document = script.get("container") or {}
        command = [*(container.get("command") or ()), *(container.get("args") or ())]
        texts += [" ".join(map(str, command))] if command else []
        if texts:
            yield str(script["name"]), escaped(" ".join(texts)).replace("\n", "\\n")


def _source(argument: Document) -> str:
    if of := argument.get("outputOf"):
        return str(OutputOf(of.get("script"), of.get("key")))
    key: Document = argument.get("secretKeyRef") or {}
    return f"secret {key.get('name')}, key {key.get('key')}"


def _metadata_lines(document: Document, now: datetime) -> Iterator[str]:
    metadata, status = document["metadata"], documents.status(document)
    yield f"Namespace: {metadata['namespace']}"
    for label, text in (
        ("Created", metadata.get("creationTimestamp")),
        ("Started", status.get("startTime")),
        ("Ended", status.get("completionTime")),
    ):
        if at := documents.time_of(text):
            ago = times.age((now - at).total_seconds())
            yield f"{label + ':':<10} {at.astimezone():%Y-%m-%d %H:%M:%S} ({ago} ago)"
    if template := status.get("template"):
        yield f"{'Template:':<10} {template['name']}, generation {template['generation']}"
    if labels := metadata.get("labels"):
        yield f"{'Labels:':<10} {' '.join(f'{key}={value}' for key, value in labels.items())}"
    if pod := status.get("pod"):
        yield f"{'Pod:':<10} {pod}"
    for session in document.get("spec", {}).get("sessions") or ():
        if directory := session.get("outputDirectory"):
            yield f"{'Output:':<10} {escaped(output_folder(directory, metadata['name']))}"
