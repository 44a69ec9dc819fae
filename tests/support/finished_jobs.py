"""Makes many finished EnsoJobs: copies of one that an operator has really run."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from kubernetes.client import ApiClient

from enso_operator.api.document import Document
from enso_operator.kube.client import ApiObjects

AT_ONCE = 16


def copy(client: ApiClient, document: Document, count: int) -> None:
    """Create `count` copies of the EnsoJob, each with the same status."""
    metadata = document["metadata"]
    objects = ApiObjects(client, metadata["namespace"], "ensojobs")
    applied = {key: document[key] for key in ("apiVersion", "kind", "spec")}

    def create(number: int) -> None:
        name = f"{metadata['name']}-{number}"
        created: dict[str, Any] = objects.create(applied | {"metadata": {"name": name}})
        objects.patch_status(name, created["metadata"]["resourceVersion"], document["status"])

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in pool.map(create, range(count)):
            pass
