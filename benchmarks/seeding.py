"""Fills a cluster with copies of an EnsoJob, written to its etcd.

Ten thousand take seconds, and through the API server half an hour on a busy machine. Whoever
watches sees them as always.
"""

from __future__ import annotations

import base64
import json
from typing import Any
from uuid import uuid4

import httpx2 as httpx
from dev.cluster import records
from dev.cluster.plane import Cluster

PATH = "/apis/enso.dev/v1alpha1/namespaces/{}/ensojobs"
AT_ONCE = 100
"""Objects in a transaction; etcd takes 128."""


def multiply(cluster: Cluster, namespace: str, name: str, count: int) -> None:
    """Write so many copies of a job, each with a name and uid of its own."""
    stored = _asked(cluster, "range", {"key": _key(namespace, name)})["kvs"][0]["value"]
    document: dict[str, Any] = json.loads(base64.b64decode(stored))
    for first in range(0, count, AT_ONCE):
        copies: list[dict[str, Any]] = []
        for number in range(first, min(count, first + AT_ONCE)):
            new = {"name": f"{name}-{number}", "uid": str(uuid4())}
            value = json.dumps(document | {"metadata": document["metadata"] | new})
            copies.append({"key": _key(namespace, new["name"]), "value": _text(value)})
        _asked(cluster, "txn", {"success": [{"requestPut": copy} for copy in copies]})
    # The API server answers once it has read them all, so that nobody who is measured waits for it.
    cluster.kubectl("get", "--raw", f"{PATH.format(namespace)}?limit=1")


def _asked(cluster: Cluster, path: str, body: dict[str, Any]) -> dict[str, Any]:
    record = records.read(cluster.name)
    if record is None:
        raise RuntimeError(f"there is no cluster {cluster.name}")
    url = f"http://127.0.0.1:{record.ports['etcdPort']}/v3/kv/{path}"
    answer = httpx.post(url, json=body, trust_env=False, timeout=60)
    answered: dict[str, Any] = answer.raise_for_status().json()
    return answered


def _key(namespace: str, name: str) -> str:
    return _text(f"/registry/enso.dev/ensojobs/{namespace}/{name}")


def _text(value: str) -> str:
    return base64.b64encode(value.encode()).decode()
