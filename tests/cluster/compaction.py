"""Has the etcd of a test's own cluster forget what was: no watch can go on from there."""

from __future__ import annotations

import base64
from typing import Any

import httpx2 as httpx
from dev.cluster import records
from dev.cluster.plane import Cluster

from tests.support.eventually import DEADLINE_SECONDS


def compact(cluster: Cluster) -> None:
    """Have etcd forget every revision but the newest."""
    record = records.read(cluster.name)
    assert record

    def ask(path: str, body: dict[str, Any]) -> Any:  # noqa: ANN401  # JSON
        url = f"http://127.0.0.1:{record.ports['etcdPort']}/v3/kv/{path}"
        answer = httpx.post(url, json=body, trust_env=False, timeout=DEADLINE_SECONDS)
        return answer.raise_for_status().json()

    newest = ask("range", {"key": base64.b64encode(b"/").decode()})["header"]["revision"]
    ask("compaction", {"revision": newest, "physical": True})
