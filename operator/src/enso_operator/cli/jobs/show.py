"""`enso show`: one job with its scripts; why it failed comes first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from enso_operator.api.document import Document
from enso_operator.cli.jobs import documents, output, scripts, times
from enso_operator.cli.jobs.asking import job_of
from enso_operator.cli.jobs.started_with import started_with
from enso_operator.cli.jobs.table import Screen
from enso_operator.cli.jobs.why import card_of
from enso_operator.kube.workstation.api_server import ApiServer
from job_execution_framework.domain.cause import escaped
from job_execution_framework.domain.events import arguments

SHOWN = 0


def show_job(api: ApiServer, name: str, form: str | None) -> int:
    """Print the job; return the exit code."""
    document = job_of(api, name)
    if form:
        print(output.text(documents.shown(document), form))
    else:
        given, screen = started_with(api, document), Screen.of_output()
        print("\n".join(rendered(document, given, datetime.now(UTC), screen)))
    return SHOWN


def rendered(
    document: Document, args: Mapping[str, Document | str], now: datetime, screen: Screen
) -> list[str]:
    """Return what is shown of a job; `args` has the arguments of each script (`started_with`)."""
    lines = [scripts.headline(document, screen)]
    if card := card_of(document):
        lines += ["", "Why:", *(f"  {line}" for line in card)]
    lines += ["", *scripts.rendered(document, now, screen)]
    if given := [*_arguments(document, args)]:
        width = max(len(name) for name, _ in given)
        lines += ["", "Arguments:", *(f"  {name:<{width}}  {text}" for name, text in given)]
    return [*lines, "", *_about(document, now)]


def _arguments(document: Document, args: Mapping[str, Document | str]) -> Iterator[tuple[str, str]]:
    """Yield what each script that takes any is given; secrets by their names."""
    for script in scripts.of(document):
        own = args[script["name"]]
        given = [own if isinstance(own, str) else arguments(own)] if own else []
        for source in script.get("argsFrom") or ():
            key: Document = source.get("secretKeyRef") or {}
            given.append(f"{source.get('name')}=(secret {key.get('name')}, key {key.get('key')})")
        container: Document = script.get("container") or {}
        words = [*(container.get("command") or ()), *(container.get("args") or ())]
        given += [" ".join(map(str, words))] if words else []
        if given:
            yield str(script["name"]), escaped(" ".join(given)).replace("\n", "\\n")


def _about(document: Document, now: datetime) -> Iterator[str]:
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
    if labels := metadata.get("labels"):
        yield f"{'Labels:':<10} {' '.join(f'{key}={value}' for key, value in labels.items())}"
    if pod := status.get("pod"):
        yield f"{'Pod:':<10} {pod}"
