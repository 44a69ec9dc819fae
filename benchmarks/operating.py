"""What the operator costs: CPU and writes for each job, jobs in a minute, a start over many jobs.

It runs as a program of its own, on a real API server of this machine.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx
from dev.cluster import binaries
from dev.cluster.commands import install_crds
from dev.cluster.plane import Cluster
from dev.cluster.programs import CLUSTER
from dev.cluster.sharing import shared
from kubernetes.config import new_client_from_config  # pyright: ignore[reportUnknownVariableType]

from benchmarks.table import line, python
from tests.support.finished_jobs import copy
from tests.support.resources import Document, of_scripts
from tests.support.running import cpu_seconds

ENSO = str(Path(sys.executable).with_name("enso"))
JOBS, ROUNDS, SETTLED = 50, 4, 2000
START_SECONDS = 120.0
NO_OP = {"source": "def main(): pass"}


@dataclass(frozen=True)
class Bench:
    """A cluster, and the folder in which operators keep their state."""

    cluster: Cluster
    folder: Path

    def kubectl(self, namespace: str, *arguments: str, stdin: Document | None = None) -> str:
        """Return what kubectl says of a namespace, given a document or none."""
        given = json.dumps(stdin) if stdin else None
        return self.cluster.kubectl("-n", namespace, *arguments, stdin=given)

    @contextmanager
    def operator(self, namespace: str) -> Generator[int]:
        """Run an operator, which is ready; yield its process id."""
        log = self.folder / "operator.log"
        flags = [f"--namespaces={namespace}", f"--state-dir={self.folder}", "--health-port=0"]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [ENSO, "operator", "--sessions=local", *flags],
                env=os.environ | {"KUBECONFIG": str(self.cluster.kubeconfig)},
                stdout=output,
                stderr=output,
            )
        try:
            _wait_until_ready(process, log)
            yield process.pid
        finally:
            process.terminate()
            process.wait()


def measure(folder: Path) -> None:
    """Print the measurements of the operator, or why there are none."""
    if missing := set(CLUSTER) - binaries.local().keys():
        names = ", ".join(sorted(missing))
        print(f"The operator is not measured: no {names} here; `make cluster-up` gets them")
        return
    with shared(secrets.token_hex(4)) as cluster:
        install_crds(cluster.kubectl)
        for namespace in ("live", "settled", "empty"):
            cluster.kubectl("create", "namespace", namespace)
        bench = Bench(cluster, folder)
        live_jobs(bench)
        many_jobs(bench)


def live_jobs(bench: Bench) -> None:
    """Measure several rounds of many no-op jobs that are applied at once."""
    cpu: list[float] = []
    took: list[float] = []
    minute: list[float] = []
    with bench.operator("live") as pid:
        mark = bench.cluster.audit.mark()
        for number in range(ROUNDS):
            before, began = cpu_seconds(pid), time.perf_counter()
            run_all(bench, number)
            seconds = (time.perf_counter() - began) / JOBS
            worked = (cpu_seconds(pid) - before) / JOBS
            bare, bare_cpu = interpreters()
            cpu.append(worked / bare_cpu)
            took.append(seconds / bare)
            minute.append(60 / seconds)
    line("CPU of the operator for a no-op job / that of python -c pass", cpu)
    line(f"a no-op job, of {JOBS} at once / python -c pass", took)
    line("no-op jobs in a minute, on this machine as it is now", minute)
    asked = [request for request in bench.cluster.audit.since(mark) if request.namespace == "live"]
    for what, verb, resource in (
        ("writes of its status for a no-op job", "patch", "ensojobs/status"),
        ("Events of a no-op job", "create", "events"),
    ):
        count = sum((request.verb, request.resource) == (verb, resource) for request in asked)
        line(what, [count / JOBS / ROUNDS])


def run_all(bench: Bench, number: int) -> None:
    """Return when a round's jobs have ended; they must have ended well."""
    jobs = [of_scripts(NO_OP) | {"metadata": {"name": f"job-{number}-{i}"}} for i in range(JOBS)]
    listed: Document = {"apiVersion": "v1", "kind": "List", "items": jobs}
    bench.kubectl("live", "apply", "-f", "-", stdin=listed)
    names = [f"ensojob/{job['metadata']['name']}" for job in jobs]
    bench.kubectl("live", "wait", "--for=condition=Succeeded", "--timeout=55s", *names)


def many_jobs(bench: Bench) -> None:
    """Measure how soon a starting operator is ready where thousands of jobs have ended."""
    bench.kubectl("settled", "apply", "-f", "-", stdin=of_scripts(NO_OP))
    with bench.operator("settled"):
        bench.kubectl("settled", "wait", "--for=condition=Succeeded", "ensojob/shot")
    document = json.loads(bench.kubectl("settled", "get", "ensojob", "shot", "-o", "json"))
    kubeconfig = str(bench.cluster.kubeconfig)
    with new_client_from_config(kubeconfig) as client:  # type: ignore[no-untyped-call]
        copy(client, document, SETTLED - 1)
    mark = bench.cluster.audit.mark()
    ratios = [start(bench, "settled") / start(bench, "empty") for _ in range(ROUNDS)]
    line(f"a start with {SETTLED:,} finished jobs until it is ready / a start with none", ratios)
    asked = [
        request for request in bench.cluster.audit.since(mark) if request.namespace == "settled"
    ]
    line("writes of such a start", [float(sum(request.is_write for request in asked))])


def start(bench: Bench, namespace: str) -> float:
    """Return the seconds from its start until an operator is ready."""
    began = time.perf_counter()
    with bench.operator(namespace):
        return time.perf_counter() - began


def interpreters() -> tuple[float, float]:
    """Return the seconds, and the seconds of CPU, of a Python that does nothing."""
    before, began, count = os.times(), time.perf_counter(), 20
    for _ in range(count):
        python("-c", "pass")
    after = os.times()
    used = sum(after[2:4]) - sum(before[2:4])
    return (time.perf_counter() - began) / count, used / count


def _wait_until_ready(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _is_ready(log.read_text()):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the operator is not ready; it said: {log.read_text()}")
        time.sleep(0.02)


def _is_ready(said: str) -> bool:
    found = re.search(r"served at (http://\S+)", said)
    if not found:
        return False
    try:
        return httpx.get(found[1] + "/readyz", trust_env=False).is_success
    except httpx.TransportError:
        return False
