"""Lints the chart, and checks what it renders against the schemas of Kubernetes.

`make verify` calls it, through dev/__main__.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import kubernetes_validate  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]
from dev.chart.helm import KUBERNETES, VALUES, Document, HelmSays, lint, render
from dev.checkout import CHECKOUT


def check() -> int:
    """Print what is wrong, and return the exit code."""
    wrong = [f"{path.relative_to(CHECKOUT)}: {said}" for path in VALUES for said in _problems(path)]
    print("".join(f"{line}\n" for line in wrong), end="")
    return bool(wrong)


def _problems(values: Path) -> Iterator[str]:
    try:
        lint(values)
        documents = render("--values", values)
    except HelmSays as error:
        yield str(error)
        return
    for document in documents:
        for version in (KUBERNETES.rpartition(".")[0], kubernetes_validate.latest_version()):
            if said := _problem(document, version):
                yield f"{document['kind']} {document['metadata']['name']} ({version}): {said}"


def _problem(document: Document, version: str) -> str | None:
    """Return what the API server would refuse, or would drop silently."""
    if document["apiVersion"].startswith("monitoring.coreos.com/"):
        return None  # of CRDs that Kubernetes does not have: tests/manifests/test_monitoring.py
    try:
        kubernetes_validate.validate(document, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return str(error.message)
    return None
