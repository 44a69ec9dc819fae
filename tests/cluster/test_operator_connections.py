"""More connections to the operator's own port than it may have files open."""

from __future__ import annotations

import contextlib
import resource
import socket
from pathlib import Path
from urllib.parse import urlsplit

from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.story import Story
from tests.support.operators import Operators

FILES = 300


def test_idle_ones_stop_neither_jobs_nor_probes(
    ns: ClusterNamespace, operators: Operators, tmp_path: Path
) -> None:
    operator = operators.ready()
    resource.prlimit(operator.pid, resource.RLIMIT_NOFILE, (FILES, FILES))
    address = urlsplit(operator.health)
    with contextlib.ExitStack() as stack:
        for _ in range(FILES + 20):
            stack.enter_context(socket.create_connection((address.hostname, address.port)))
        story = Story(ns, "shot", tmp_path / "note")
        story.begin()
        story.ends_well()
        assert operator.http_get("/healthz") == (200, "ok\n")
        assert operator.is_ready()
    assert operator.log_text.count("Too many open files") <= 1
