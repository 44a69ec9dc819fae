"""What many jobs at once cost: jobs a minute, and for each job CPU, requests and bytes.

A sustained rate is that between the ends of the first and the last tenth of the jobs.

``python -m benchmarks.many`` runs it alone, on simulated nodes. ``--vs CHECKOUT`` measures other
checkouts' operators beside this one, in turn, on the same cluster: what can be compared on a busy
machine are CPU and counts, not jobs a minute. ``--argo PROGRAM`` measures Argo Workflows beside us,
with its two ways to write ten steps; PROGRAM is its workflow-controller.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

from kubernetes.client import ApiClient
from kubernetes.config import new_client_from_config  # pyright: ignore[reportUnknownVariableType]

from benchmarks.argo import WAYS, Workflows
from benchmarks.engine import Engine, EnsoJobs, Program, records, sustained
from benchmarks.simulated import Simulation, simulated_cluster
from tests.support.eventually import until
from tests.support.running import cpu_seconds

COUNTS = (100, 1000)
CREATORS = 8
"""Threads that create jobs."""
DEADLINE_SECONDS = 1800.0
SETTLE_SECONDS = 2.0
"""The engine ends what it has begun for the last job."""
LOOK_SECONDS = 1.0
OURS = "enso-benchmark"
"""What this program calls itself at the API server."""
FOREIGN = (OURS, "kubectl", "kube-", "kwok")
_BODY = re.compile(
    r'^apiserver_request_body_size_bytes_sum\{.*resource="(?P<kind>[^"]*)"'
    r'.*verb="(?P<verb>\w+)"\} (?P<sum>\S+)$',
    re.MULTILINE,
)


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
    def now(cls, simulation: Simulation, program: Program) -> Usage:
        """Look at all of them."""
        pids = {"engine": program.pid, **simulation.pids(), "this program": os.getpid()}
        bodies = Counter[tuple[str, str]]()
        for found in _BODY.finditer(simulation.cluster.kubectl("get", "--raw", "/metrics")):
            bodies[found["verb"], found["kind"]] += int(float(found["sum"]))
        times = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
        cpu = {name: cpu_seconds(pid) for name, pid in pids.items()}
        return cls(time.monotonic(), cpu, bodies, [int(time) for time in times])


class Measure:
    """Engines that run so many jobs, each in a namespace of its own."""

    def __init__(self, simulation: Simulation, client: ApiClient, folder: Path) -> None:
        self._simulation, self._cluster = simulation, simulation.cluster
        self._client, self._folder = client, folder

    def of(self, engine: Engine, count: int, namespace: str) -> float:
        """Print what `count` jobs cost an engine; return its milliseconds of CPU for each."""
        client, log = self._client, self._folder / f"{namespace}.log"
        with engine.running(client, self._simulation.kubeconfig, namespace, log) as program:
            program.forget_peak()
            mark, before = self._cluster.audit.mark(), Usage.now(self._simulation, program)
            with ThreadPoolExecutor(CREATORS) as threads:
                list(threads.map(partial(engine.create, client, namespace), range(count)))
            until(
                lambda: engine.count_succeeded(client, namespace) == count,
                DEADLINE_SECONDS,
                longest_pause=LOOK_SECONDS,
            )
            took = time.monotonic() - before.at
            time.sleep(SETTLE_SECONDS)
            after = Usage.now(self._simulation, program)
            peak = program.peak_mib
        rate = f"{60 * count / took:.0f} a minute", sustained(engine.ends(client, namespace))
        _tell(
            f"{count:6} jobs, {engine.name}: {', '.join(filter(None, rate))}", count, before, after
        )
        print(f"    peak {peak:.0f} MiB")
        self._tell_requests(namespace, mark, count, after.bodies - before.bodies)
        kinds = ("delete", engine.kinds, "--all", "--force", "--grace-period=0", "--wait=false")
        self._cluster.kubectl("-n", namespace, *kinds)
        return 1000 * (after.cpu["engine"] - before.cpu["engine"]) / count

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


def _tell(rate: str, count: int, before: Usage, after: Usage) -> None:
    times = [now - then for now, then in zip(after.machine, before.machine, strict=True)]
    steal, idle = (100 * times[place] / sum(times) for place in (7, 3))
    used = {part: 1000 * (now - before.cpu[part]) / count for part, now in after.cpu.items()}
    costs = ", ".join(f"{part} {each:.1f}" for part, each in used.items())
    print(
        f"{rate}; ms of CPU for each: {costs}: with a processor of its own the engine's"
        f" are {60_000 / used['engine']:.0f} a minute;"
        f" load {os.getloadavg()[0]:.1f}, steal {steal:.0f} %, idle {idle:.0f} %"
    )


def measure(folder: Path, counts: list[int], engines: list[Engine], rounds: int) -> None:
    """Print a few lines for each number of jobs and each engine."""
    measures = [*product(counts, range(rounds), engines)]
    namespaces = [f"many-{number}" for number in range(len(measures))]
    with (
        simulated_cluster(folder, records(), namespaces) as simulation,
        new_client_from_config(  # type: ignore[no-untyped-call]
            str(simulation.cluster.kubeconfig)
        ) as client,
    ):
        client.user_agent = OURS
        measured = Measure(simulation, client, folder)
        for (count, _, engine), namespace in zip(measures, namespaces, strict=True):
            measured.of(engine, count, namespace)


def main() -> None:
    """Read the arguments, and measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many", description=__doc__)
    parser.add_argument("--jobs", type=int, nargs="+", default=COUNTS, help="how many jobs")
    parser.add_argument(
        "--vs", type=Path, nargs="+", default=(), help="other checkouts, each with its .venv"
    )
    parser.add_argument("--argo", type=Path, help="Argo's workflow-controller, to be measured too")
    parser.add_argument("--rounds", type=int, default=1, help="how often each is measured")
    chosen = parser.parse_args()
    own = Path(__file__).resolve().parents[1]
    engines: list[Engine] = [EnsoJobs(path) for path in (own, *map(Path.resolve, chosen.vs))]
    if chosen.argo:
        engines += [Workflows(chosen.argo.resolve(), way) for way in WAYS]
    with tempfile.TemporaryDirectory() as name:
        measure(Path(name), chosen.jobs, engines, chosen.rounds)


if __name__ == "__main__":
    main()
