"""Renders the Helm chart for tests; without helm these tests are skipped."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from dev.chart.helm import render
from dev.cluster import binaries

Document = dict[str, Any]
OPERATOR = "shows-enso-executer"
"""The name of what is the operator's in a release named `shows`."""


def need_helm() -> None:
    """Skip the test, or fail it in CI, if helm is missing: tests build no tools."""
    if binaries.local(("helm",)):
        return
    sentence = "helm is not on this machine: `make verify` gets it"
    if os.environ.get("CI"):
        pytest.fail(sentence)
    pytest.skip(sentence)


def rendered(
    *settings: str, values: Path | None = None, namespace: str = "enso", apis: Iterable[str] = ()
) -> list[Document]:
    """Return the objects of a release named `shows`; `settings` are values as for `--set`.

    Objects that not every cluster has are rendered where `apis` names their API.
    """
    need_helm()
    options = [f"--set={setting}" for setting in settings]
    options += [f"--api-versions={api}" for api in apis]
    return render(*options, *(("--values", values) if values else ()), namespace=namespace)


def only_object(documents: Iterable[Document], kind: str, name: str = "") -> Document:
    """Return the only object of this kind whose name ends with `name`."""
    (match,) = [
        document
        for document in documents
        if document["kind"] == kind and document["metadata"]["name"].endswith(name)
    ]
    return match


def pods(documents: Iterable[Document]) -> list[Document]:
    """Return every Pod, and the template of every Deployment as a Pod."""
    pods_found: list[Document] = []
    for document in documents:
        pod = document
        if document["kind"] == "Deployment":
            template, owner_metadata = document["spec"]["template"], document["metadata"]
            metadata = template["metadata"] | {
                key: owner_metadata[key] for key in ("name", "namespace")
            }
            pod = {"apiVersion": "v1", "kind": "Pod", **template, "metadata": metadata}
        if pod["kind"] == "Pod":
            pods_found.append(pod)
    return pods_found


def environment(pod: Document) -> dict[str, str]:
    (container,) = pod["spec"]["containers"]
    return {variable["name"]: variable["value"] for variable in container["env"]}


def as_list(documents: list[Document]) -> Document:
    """Return them as one document, for `kubectl apply`."""
    return {"apiVersion": "v1", "kind": "List", "items": documents}


def one_pod(documents: list[Document], name: str) -> Document:
    """Return the Pod of the object with this name."""
    return next(pod for pod in pods(documents) if pod["metadata"]["name"] == name)
