"""What a write of a job's status costs the API server, by the number of the job's scripts.

It runs as a program of its own, on a real API server of this machine.
"""

from __future__ import annotations

import secrets
from pathlib import Path

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
from tests.support.resources import of_scripts
from tests.support.running import cpu_seconds

FEW, MANY = 1, 100
WRITES = {FEW: 60, MANY: 20}
"""How many writes are measured: CPU is counted in hundredths of a second."""
ROUNDS = 3
NAMESPACE = "written"


def measure(folder: Path) -> None:
    """Print the ratio, or why there is none."""
    del folder
    if missing := set(CLUSTER) - binaries.local().keys():
        names = ", ".join(sorted(missing))
        print(f"Writes of a status are not measured: no {names} here; `make cluster-up` gets them")
        return
    with shared(secrets.token_hex(4)) as cluster:
        install_crds(cluster.kubectl)
        cluster.kubectl("create", "namespace", NAMESPACE)
        kubeconfig = str(cluster.kubeconfig)
        with new_client_from_config(kubeconfig) as client:  # type: ignore[no-untyped-call]
            ratios = [
                cpu_of_a_write(cluster, client, MANY, number)
                / cpu_of_a_write(cluster, client, FEW, number)
                for number in range(ROUNDS)
            ]
    line(f"CPU of the API server for a write of a status: {MANY} scripts / {FEW}", ratios)


def cpu_of_a_write(cluster: Cluster, client: ApiClient, scripts: int, number: int) -> float:
    """Return the seconds of CPU that the API server takes for a small change of a status."""
    jobs, name = ApiObjects(client, NAMESPACE, "ensojobs"), f"of-{scripts}-{number}"
    no_ops = [{"source": "def main(): pass", "args": {"frames": 240}} for _ in range(scripts)]
    jobs.create(of_scripts(*no_ops) | {"metadata": {"name": name}})
    uow, server = KubernetesJobUnitOfWork(jobs), cluster.pid("kube-apiserver")
    with uow:
        job = uow.jobs.get(name)
        job.record(events.JobStarted(at=0))
        uow.commit()
        before = cpu_seconds(server)
        for at in range(WRITES[scripts]):
            job.record(events.JobUnpaused(at=at) if at % 2 else events.JobPaused(at=at))
            uow.commit()
        return (cpu_seconds(server) - before) / WRITES[scripts]


if __name__ == "__main__":
    measure(Path())
