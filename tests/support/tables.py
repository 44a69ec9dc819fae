"""The table that an API server makes of objects in memory, by the columns of our CRDs."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import cast

import yaml

from enso_operator.api.crd import crds
from enso_operator.api.document import Document, is_document

_SUCCEEDED = 'conditions[?(@.type=="Succeeded")]'


@cache
def _columns() -> list[tuple[str, str]]:
    crd = cast("Document", yaml.safe_load(crds()["ensojobs.yaml"]))
    (version,) = crd["spec"]["versions"]
    return [(column["name"], column["jsonPath"]) for column in version["additionalPrinterColumns"]]


def table_of(documents: Iterable[Document], version: int = 0) -> Document:
    """Return the table of EnsoJobs, as of this version."""
    names = ["Name", *(name for name, _ in _columns())]
    return {
        "metadata": {"resourceVersion": str(version)},
        "columnDefinitions": [{"name": name} for name in names],
        "rows": [
            {
                "cells": [
                    document["metadata"]["name"],
                    *(_cell(document, path) for _, path in _columns()),
                ],
                "object": {"metadata": document["metadata"]},
            }
            for document in documents
        ],
    }


def _cell(document: Document, path: str) -> object:
    if _SUCCEEDED in path:
        field = path.rpartition(".")[2]
        conditions: list[Document] = document.get("status", {}).get("conditions") or []
        found = (condition for condition in conditions if condition["type"] == "Succeeded")
        return next(found, Document()).get(field)
    part: object = document
    for name in path.removeprefix(".").split("."):
        part = part.get(name) if is_document(part) else None
    return part
