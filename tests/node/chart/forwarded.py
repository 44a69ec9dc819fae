"""A Service of the node, reached as the chart's notes say: by `kubectl port-forward`."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Generator
from contextlib import contextmanager

import httpx2 as httpx
from dev.cluster import binaries

from tests.node.chart.release import Release


@contextmanager
def forwarded(release: Release, service: str) -> Generator[httpx.Client]:
    """Yield a client of the Service, at a port of this machine that was free."""
    command = (str(binaries.kubectl()), f"--kubeconfig={release.ns.node.kubeconfig}")
    where = ("-n", release.namespace, "port-forward", f"service/{service}", ":5005")
    with subprocess.Popen([*command, *where], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            found = re.search(r"127\.0\.0\.1:(\d+)", process.stdout.readline())
            assert found, "nothing is forwarded"
            address = f"http://127.0.0.1:{found[1]}"
            with httpx.Client(base_url=address, trust_env=False, timeout=60) as client:
                yield client
        finally:
            process.terminate()
