"""Writes into a plan which arguments are outputs of other scripts, and restores them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from job_execution_framework.domain.outputs import OutputOf, references
from job_execution_framework.domain.script import Script
from job_execution_framework.service_layer.codec import from_document, to_document

FIELD = "outputs"


def written(scripts: Iterable[Script]) -> dict[str, Any]:
    """Return the part of a plan's document about outputs; a plan that needs none has none."""
    found = {script.name: references(script.parameters) for script in scripts}
    needed = {script: to_document(arguments) for script, arguments in found.items() if arguments}
    return {FIELD: needed} if needed else {}


def restore(document: Mapping[str, Any], parameters: Mapping[str, dict[str, Any]]) -> None:
    """Put back what `written` wrote, into the parameters of each script."""
    for script, arguments in document.get(FIELD, {}).items():
        for name, of in arguments.items():
            parameters[script][name] = from_document(OutputOf, of)
