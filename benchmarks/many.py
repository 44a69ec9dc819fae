"""What many jobs at once cost: jobs a minute, and for each job CPU, requests and bytes.

``python -m benchmarks.many`` runs it alone, on simulated nodes. ``--vs CHECKOUT`` measures other
checkouts' operators beside this one, in turn, on the same cluster: what can be compared on a busy
machine are CPU and counts, not jobs a minute.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import httpx2 as httpx
from dev.cluster.plane import Cluster
from kubernetes.client import ApiClient
from kubernetes.config import new_client_from_config  # pyright: ignore[reportUnknownVariableType]

from benchmarks.simulated import SESSION, simulated_cluster
from enso_operator.kube.client import ApiObjects
from job_execution_framework.domain.events import (
    Event,
    ScriptEvent,
    ScriptStarted,
    ScriptSucceeded,
)
from job_execution_framework.service_layer.records import End, to_line
from tests.support.eventually import until
from tests.support.resources import Document, job
from tests.support.running import cpu_seconds

SCRIPTS = 10
COUNTS = (100, 1000)
CREATORS = 8
"""Threads that create jobs."""
DEADLINE_SECONDS = 1800.0
SETTLE_SECONDS = 2.0
"""The operator ends what it has begun for the last job."""
LOOK_SECONDS = 1.0
OURS = "enso-benchmark"
"""What this program calls itself at the API server."""
FOREIGN = (OURS, "kubectl", "kube-", "kwok")
FLAGS = ("--sessions=pods", "--records-image=simulated", "--session-image=simulated")
PARTS = ("kube-apiserver", "etcd")
_BODY = re.compile(
    r'^apiserver_request_body_size_bytes_sum\{.*resource="(?P<kind>[^"]*)"'
    r'.*verb="(?P<verb>\w+)"\} (?P<sum>\S+)$',
    re.MULTILINE,
)


@dataclass(frozen=True)
class Operator:
    """An operator of some checkout, as a process."""

    pid: int
    log: Path

    def is_ready(self) -> bool:
        """Whether it says so."""
        found = re.search(r"http://127\.0\.0\.1:\d+", self.log.read_text("utf-8"))
        return found is not None and httpx.get(f"{found[0]}/readyz", trust_env=False).is_success

    def forget_peak(self) -> None:
        """Begin anew with what it had most of memory."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    @property
    def peak_mib(self) -> float:
        """The most memory that it had."""
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text())
        return int(found[1]) / 1024 if found else 0.0


@contextmanager
def operator_of(checkout: Path, kubeconfig: Path, namespace: str, log: Path) -> Generator[Operator]:
    """Yield an operator of a checkout that is ready for the jobs of a namespace."""
    python = checkout / ".venv" / "bin" / "python"
    arguments = (*FLAGS, f"--namespaces={namespace}", "--health-port=0")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(python), "-m", "enso_operator", "operator", *arguments],
            env={**os.environ, "KUBECONFIG": str(kubeconfig)},
            stdout=output,
            stderr=output,
            cwd=checkout,
        )
    try:
        operator = Operator(process.pid, log)
        until(operator.is_ready)
        yield operator
    finally:
        process.kill()
        process.wait()


def records() -> list[str]:
    """Return the log of a session that runs all scripts."""
    told: list[Event] = []
    kinds: tuple[type[ScriptEvent], ...] = (ScriptStarted, ScriptSucceeded)
    for number in range(1, SCRIPTS + 1):
        for kind in kinds:
            event = kind(
                at=time.time(),
                origin="main-1",
                seq=len(told) + 1,
                script=f"script-{number}",
                number=number,
                of=SCRIPTS,
                attempt=1,
                parameters={},
            )
            told.append(event)
    return [line.decode().rstrip() for line in (*map(to_line, told), to_line(End()))]


def document_of(number: int) -> Document:
    """Return a job of ten scripts."""
    scripts = [
        {
            "name": f"script-{script}",
            "source": f"def main(frames):\n    print('script {script}', frames)\n",
            "args": {"frames": 240},
        }
        for script in range(1, SCRIPTS + 1)
    ]
    return job({"sessions": [SESSION], "scripts": scripts}, f"shot-{number:05}")


@dataclass(frozen=True)
class Usage:
    """What processes, the API server and the machine have used so far."""

    at: float
    cpu: dict[str, float]
    bodies: Counter[tuple[str, str]]
    """Bytes of the bodies that the API server got, by verb and kind."""
    machine: list[int]
    """The machine's times, as /proc/stat has them."""

    @classmethod
    def now(cls, cluster: Cluster, operator: Operator) -> Usage:
        """Look at all of them."""
        pids = {"operator": operator.pid} | {part: cluster.pid(part) for part in PARTS}
        bodies = Counter[tuple[str, str]]()
        for found in _BODY.finditer(cluster.kubectl("get", "--raw", "/metrics")):
            bodies[found["verb"], found["kind"]] += int(float(found["sum"]))
        times = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
        cpu = {name: cpu_seconds(pid) for name, pid in pids.items()}
        return cls(time.monotonic(), cpu, bodies, [int(time) for time in times])


class Measure:
    """One operator with so many jobs in a namespace of their own."""

    def __init__(self, cluster: Cluster, client: ApiClient, folder: Path) -> None:
        self._cluster, self._client, self._folder = cluster, client, folder

    def of(self, name: str, checkout: Path, count: int, namespace: str) -> None:
        """Print what `count` jobs cost the operator of a checkout."""
        jobs = ApiObjects(self._client, namespace, "ensojobs")
        log = self._folder / f"{name}-{count}.log"
        with operator_of(checkout, self._cluster.kubeconfig, namespace, log) as operator:
            operator.forget_peak()
            mark, before = self._cluster.audit.mark(), Usage.now(self._cluster, operator)
            with ThreadPoolExecutor(CREATORS) as threads:
                list(threads.map(jobs.create, map(document_of, range(count))))
            until(lambda: _ended(jobs, count), DEADLINE_SECONDS, longest_pause=LOOK_SECONDS)
            took = time.monotonic() - before.at
            time.sleep(SETTLE_SECONDS)
            after = Usage.now(self._cluster, operator)
            peak = operator.peak_mib
        _tell(name, count, took, before, after, peak)
        self._tell_requests(namespace, mark, count, after.bodies - before.bodies)
        kinds = ("delete", "ensojobs,pods", "--all", "--force", "--grace-period=0", "--wait=false")
        self._cluster.kubectl("-n", namespace, *kinds)

    def _tell_requests(
        self, namespace: str, mark: int, count: int, bodies: Counter[tuple[str, str]]
    ) -> None:
        asked = Counter(
            (request.verb, request.resource)
            for request in self._cluster.audit.since(mark)
            if request.namespace == namespace and not request.user_agent.startswith(FOREIGN)
        )
        print(f"    requests {asked.total() / count:.2f} a job:")
        for (verb, resource), times in asked.most_common():
            print(f"      {times / count:6.2f}  {verb} {resource}")
        print("    bytes that all clients sent, a job:")
        for (verb, kind), size in bodies.most_common():
            if size >= count:
                print(f"    {size / count:8.0f}  {verb} {kind}")
        sys.stdout.flush()


def _ended(jobs: ApiObjects, count: int) -> bool:
    """Whether all jobs have ended. Raises AssertionError where one did not succeed."""
    states = Counter(row["cells"][1] for page in jobs.table() for row in page["rows"])
    if failed := states.keys() & {"Failed", "Cancelled"}:
        raise AssertionError(f"jobs are {', '.join(failed)}")
    return states["Succeeded"] == count


def _tell(name: str, count: int, took: float, before: Usage, after: Usage, peak: float) -> None:
    times = [now - then for now, then in zip(after.machine, before.machine, strict=True)]
    steal, idle = (100 * times[place] / sum(times) for place in (7, 3))
    costs = ", ".join(
        f"{part} {1000 * (used - before.cpu[part]) / count:.1f}" for part, used in after.cpu.items()
    )
    print(
        f"{count:6} jobs, {name}: {60 * count / took:.0f} a minute;"
        f" ms of CPU for each: {costs}; peak {peak:.0f} MiB;"
        f" load {os.getloadavg()[0]:.1f}, steal {steal:.0f} %, idle {idle:.0f} %"
    )


def measure(folder: Path, counts: list[int], checkouts: dict[str, Path], rounds: int) -> None:
    """Print a few lines for each number of jobs and each checkout."""
    measures = [*product(counts, range(rounds), checkouts)]
    namespaces = [f"many-{number}" for number in range(len(measures))]
    with (
        simulated_cluster(folder, records(), namespaces) as cluster,
        new_client_from_config(str(cluster.kubeconfig)) as client,  # type: ignore[no-untyped-call]
    ):
        client.user_agent = OURS
        measured = Measure(cluster, client, folder)
        for (count, _, name), namespace in zip(measures, namespaces, strict=True):
            measured.of(name, checkouts[name], count, namespace)


def main() -> None:
    """Read the arguments, and measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many", description=__doc__)
    parser.add_argument("--jobs", type=int, nargs="+", default=COUNTS, help="how many jobs")
    parser.add_argument(
        "--vs", type=Path, nargs="+", default=(), help="other checkouts, each with its .venv"
    )
    parser.add_argument("--rounds", type=int, default=1, help="how often each is measured")
    chosen = parser.parse_args()
    own = Path(__file__).resolve().parents[1]
    checkouts = {path.name: path for path in (own, *map(Path.resolve, chosen.vs))}
    with tempfile.TemporaryDirectory() as name:
        measure(Path(name), chosen.jobs, checkouts, chosen.rounds)


if __name__ == "__main__":
    main()
