"""What a write of a job's status costs the API server, by the number of the job's scripts.

Beside it what the same writes cost of the same documents in a kind that has no schema: nothing that
we do can go below. It runs as a program of its own, on a real API server of this machine.
"""

from __future__ import annotations

import json
import secrets
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dev.cluster import binaries
from dev.cluster.commands import install_crds
from dev.cluster.plane import Cluster
from dev.cluster.programs import CLUSTER
from dev.cluster.sharing import shared
from kubernetes.client import ApiClient
from kubernetes.config import new_client_from_config  # pyright: ignore[reportUnknownVariableType]

from benchmarks.table import line
from enso_operator.kube.client import ApiObjects
from enso_operator.kube.unit_of_work import KubernetesJobUnitOfWork
from job_execution_framework.domain import events
from tests.support.resources import Document, of_scripts
from tests.support.running import cpu_seconds

FEW, MANY = 1, 100
WRITES = {FEW: 120, MANY: 60}
"""How many writes are measured: CPU is counted in hundredths of a second."""
MOST = 2
"""How many times the growth of the floor ours may be, as medians."""
ROUNDS = 5
IDLE_SECONDS = 10.0
NAMESPACE = "written"
BARE_API = "bench.enso.dev/v1"
BARE: Document = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "bares.bench.enso.dev"},
    "spec": {
        "group": "bench.enso.dev",
        "scope": "Namespaced",
        "names": {"kind": "Bare", "plural": "bares", "singular": "bare"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "x-kubernetes-preserve-unknown-fields": True,
                    }
                },
            }
        ],
    },
}
"""A kind that takes anything."""


def measure(folder: Path) -> None:
    """Print the ratios, or why there are none. Raises AssertionError where ours is above MOST."""
    del folder
    if missing := set(CLUSTER) - binaries.local().keys():
        names = ", ".join(sorted(missing))
        print(f"Writes of a status are not measured: no {names} here; `make cluster-up` gets them")
        return
    with shared(secrets.token_hex(4)) as cluster:
        install_crds(cluster.kubectl)
        cluster.kubectl("apply", "-f", "-", stdin=json.dumps(BARE))
        cluster.kubectl("wait", "--for=condition=Established", "crd/bares.bench.enso.dev")
        cluster.kubectl("create", "namespace", NAMESPACE)
        kubeconfig = str(cluster.kubeconfig)
        with new_client_from_config(kubeconfig) as client:  # type: ignore[no-untyped-call]
            ours, bare = _ratios(cluster, client)
    line(f"CPU of the API server for a write of a status, {MANY} scripts / {FEW}", ours)
    line("the same of a kind without a schema, the floor", bare)
    above = statistics.median(ours) / statistics.median(bare)
    line(f"the first / the second ({MOST:g})", [above])
    if above > MOST:
        raise AssertionError(f"writes of a status: {above:.2f}, and {MOST:g} are allowed")


def _ratios(cluster: Cluster, client: ApiClient) -> tuple[list[float], list[float]]:
    """Return many scripts / few, of jobs, and of the same documents in a kind without schema."""
    server = ApiServer(cluster.pid("kube-apiserver"))
    ours, bare = list[float](), list[float]()
    for number in range(ROUNDS):
        costs = {
            scripts: _costs(server, client, f"of-{scripts}-{number}", scripts)
            for scripts in (FEW, MANY)
        }
        ours.append(costs[MANY][0] / costs[FEW][0])
        bare.append(costs[MANY][1] / costs[FEW][1])
    return ours, bare


class ApiServer:
    """The process, and what it uses for itself."""

    def __init__(self, pid: int) -> None:
        """Look at what it uses while nobody asks it for anything."""
        self._pid = pid
        before = cpu_seconds(pid)
        time.sleep(IDLE_SECONDS)
        self._idle = (cpu_seconds(pid) - before) / IDLE_SECONDS

    def cost(self, write: Callable[[int], object], writes: int) -> float:
        """Return the seconds of CPU for one write, without what it would have used anyway."""
        before, began = cpu_seconds(self._pid), time.monotonic()
        for number in range(writes):
            write(number)
        own = self._idle * (time.monotonic() - began)
        return (cpu_seconds(self._pid) - before - own) / writes


def _costs(server: ApiServer, client: ApiClient, name: str, scripts: int) -> tuple[float, float]:
    """Return the cost of a small change of a job's status, and in the kind without a schema."""
    jobs = ApiObjects(client, NAMESPACE, "ensojobs")
    no_ops = [{"source": "def main(): pass", "args": {"frames": 240}} for _ in range(scripts)]
    jobs.create(of_scripts(*no_ops) | {"metadata": {"name": name}})
    uow = KubernetesJobUnitOfWork(jobs)
    with uow:
        job = uow.jobs.get(name)
        job.record(events.JobStarted(at=0))
        uow.commit()

        def write(at: int) -> None:
            job.record(events.JobUnpaused(at=at) if at % 2 else events.JobPaused(at=at))
            uow.commit()

        cost = server.cost(write, WRITES[scripts])
    return cost, server.cost(_bare_writes(jobs, name), WRITES[scripts])


def _bare_writes(jobs: ApiObjects, name: str) -> Callable[[int], object]:
    """Put a job as it is into the kind without a schema, and return how it is written there."""
    bares, job = jobs.beside("bares", BARE_API), jobs.get(name)
    made: Document = {"apiVersion": BARE_API, "kind": "Bare", "metadata": {"name": name}}
    created = bares.create(made | {"spec": job["spec"]})
    versions = [str(created["metadata"]["resourceVersion"])]

    def put(patch: dict[str, Any]) -> None:
        written = bares.patch_status(name, versions[-1], patch)
        versions.append(str(written["metadata"]["resourceVersion"]))

    put(job["status"])
    conditions = job["status"]["conditions"]
    return lambda number: put({"conditions": conditions, "ledger": {"revision": -number}})


if __name__ == "__main__":
    measure(Path())
