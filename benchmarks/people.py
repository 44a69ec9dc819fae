"""The time of `enso list`, against that of `kubectl get`.

Both ask one real API server for the same ten jobs, in turn.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

from dev.cluster import binaries
from dev.cluster.commands import install_crds
from dev.cluster.programs import CLUSTER
from dev.cluster.sharing import shared

from benchmarks.table import show, timed
from tests.support.resources import Document, of_scripts

JOBS = 10
MOST_TIMES = 8
"""How much longer `enso list` may take than `kubectl get`."""
ENSO = Path(sys.executable).with_name("enso")


def measure(folder: Path) -> None:
    """Print the line, or why there is none. Raises AssertionError where it takes too long."""
    del folder
    if missing := set(CLUSTER) - binaries.local().keys():
        names = ", ".join(sorted(missing))
        print(f"enso list is not measured: no {names} here; `make cluster-up` gets them")
        return
    with shared(secrets.token_hex(4)) as cluster:
        install_crds(cluster.kubectl)
        jobs = [of_scripts({}) | {"metadata": {"name": f"job-{i}"}} for i in range(JOBS)]
        listed: Document = {"apiVersion": "v1", "kind": "List", "items": jobs}
        cluster.kubectl("apply", "-f", "-", stdin=json.dumps(listed))
        environment = os.environ | {"KUBECONFIG": str(cluster.kubeconfig)}

        def run(*command: str) -> float:
            return timed(
                subprocess.run,
                command,
                env=environment,
                check=True,
                stdout=subprocess.DEVNULL,
            )

        show(
            f"enso list of {JOBS} jobs / kubectl get ensojobs",
            lambda: run(str(ENSO), "list"),
            lambda: run(str(binaries.kubectl()), "get", "ensojobs"),
            most=MOST_TIMES,
        )
