"""What jobs cost an operator that has nothing to do for them: those that have ended, and that wait.

It starts one beside so many of them, and lets it rest for a minute. It runs as a program of its
own, on a real API server of this machine: ``python -m benchmarks.idle [FINISHED LIVE WAITING]``.
With ``--vs CHECKOUT`` it only starts another checkout's operator and this one, in turn, twice: what
can be compared on a busy machine.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import secrets
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx
import psutil
from dev.cluster import binaries
from dev.cluster.commands import install_crds
from dev.cluster.plane import Cluster
from dev.cluster.programs import CLUSTER
from dev.cluster.sharing import shared

from benchmarks import seeding
from benchmarks.operating import ENSO, NO_OP
from tests.support.resources import Document, of_scripts
from tests.support.running import cpu_seconds

SCRIPTS = 10
MINUTE = 60.0
ROUNDS = 2
SETTLES_SECONDS, SETTLED_WITHIN_SECONDS = 5.0, 900.0
"""How long nothing is written before the minute at rest, and within which time that is so."""
DEADLINE_SECONDS = 300.0
MOST_MIB, MOST_SECONDS, MOST_WRITES = 120, 6, 0
"""Bounds of memory and of a restart, beside 10,000 finished and 500 live jobs."""
LOCAL = ("--sessions=local",)
PODS = ("--sessions=pods", "--records-image=localhost/enso", "--session-image=localhost/python")
NO_PODS: Document = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "none"},
    "spec": {"hard": {"pods": "0"}},
}


@dataclass(frozen=True)
class Hall:
    """A namespace that an operator looks after."""

    cluster: Cluster
    namespace: str
    folder: Path
    sessions: Sequence[str]

    def kubectl(self, *arguments: str, stdin: Document | None = None) -> str:
        """Return what kubectl says of the namespace."""
        given = json.dumps(stdin) if stdin else None
        return self.cluster.kubectl("-n", self.namespace, *arguments, stdin=given)

    @contextmanager
    def operator(self, enso: str = ENSO) -> Generator[Running]:
        """Run an operator, from its start on; `enso` may be another checkout's."""
        log = self.folder / f"{self.namespace}.log"
        flags = (f"--namespaces={self.namespace}", f"--state-dir={self.folder}", "--health-port=0")
        with log.open("wb") as output:
            process = subprocess.Popen(
                [enso, "operator", *self.sessions, *flags],
                env=os.environ | {"KUBECONFIG": str(self.cluster.kubeconfig)},
                stdout=output,
                stderr=output,
            )
        try:
            yield Running(process, log)
        finally:
            process.terminate()
            process.wait()

    def requests(self, mark: int) -> Counter[str]:
        """Return what was asked since then about the namespace, by verb and kind."""
        return Counter(
            f"{request.verb} {request.resource}"
            for request in self.cluster.audit.since(mark)
            if request.namespace == self.namespace and not request.user.startswith("system:")
        )

    def multiply(self, job: Document, until: str, count: int) -> None:
        """Have an operator bring a job into a state, and copy it."""
        name = job["metadata"]["name"]
        self.kubectl("apply", "-f", "-", stdin=job)
        with self.operator():
            self.kubectl("wait", f"--for={until}", "--timeout=55s", f"ensojob/{name}")
        seeding.multiply(self.cluster, self.namespace, name, count - 1)


@dataclass(frozen=True)
class Running:
    """An operator's process."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def cpu(self) -> float:
        """Seconds of a processor that it has used."""
        return cpu_seconds(self.process.pid)

    @property
    def mib(self) -> float:
        """MiB of memory that it has now."""
        return float(psutil.Process(self.process.pid).memory_info().rss / 1024**2)

    @property
    def peak_mib(self) -> float:
        """MiB of memory that it came to."""
        status = Path(f"/proc/{self.process.pid}/status").read_text("utf-8")
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        return int(found[1]) / 1024 if found else 0.0

    def asked(self, path: str) -> str:
        """Return what it answers at the probes' port; "" where it does not, or is not ready."""
        found = re.search(r"served at (http://\S+)", self.log.read_text("utf-8"))
        if not found:
            return ""
        try:
            answer = httpx.get(found[1] + path, trust_env=False)
        except httpx.TransportError:
            return ""
        return answer.text if answer.is_success else ""

    def until(self, path: str, word: str) -> None:
        """Return when its answer has this word."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while word not in self.asked(path):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"it never said {word!r}, but: {self.log.read_text()[-2000:]}")
            time.sleep(0.05)


def measure(folder: Path, finished: int, live: int, waiting: int, vs: str = "") -> None:
    """Print a table for each kind of jobs, or why there is none; of starts alone with `vs`."""
    if missing := set(CLUSTER) - binaries.local().keys():
        names = ", ".join(sorted(missing))
        print(f"Idle jobs are not measured: no {names} here; `make cluster-up` gets them")
        return
    with shared(secrets.token_hex(4)) as cluster:
        install_crds(cluster.kubectl)
        if finished:
            hall = Hall(cluster, "resting", folder, LOCAL)
            hall.cluster.kubectl("create", "namespace", hall.namespace)
            if live:
                suspended = "jsonpath={.status.conditions[?(@.type=='Succeeded')].reason}=Suspended"
                hall.multiply(_job("later", suspend=True), suspended, live)
            hall.multiply(_job("ended"), "condition=Finished", finished)
            started(hall, f"{finished:,} finished jobs, {live:,} suspended ones", live, vs)
        if waiting:
            hall = Hall(cluster, "waiting", folder, PODS)
            hall.cluster.kubectl("create", "namespace", hall.namespace)
            hall.kubectl("apply", "-f", "-", stdin=NO_PODS)
            hall.multiply(_job("waits"), "jsonpath={.status.reason}", waiting)
            _tell_all(hall, waiting)
            started(hall, f"{waiting:,} jobs that wait for a quota", waiting, vs)


def _tell_all(hall: Hall, live: int) -> None:
    """Have each copy of a job that waits say so of itself: that is no part of a restart."""
    mark = hall.cluster.audit.mark()
    with hall.operator() as operator:
        operator.until("/metrics", f"enso_live_jobs {live:.1f}")
        _settled(hall, mark)


def started(hall: Hall, what: str, live: int, vs: str) -> None:
    """Start an operator beside these jobs; with `vs` two in turn, of which only starts are told."""
    for enso in (vs, ENSO) * ROUNDS if vs else ():
        print(f"{what}; {enso}; {_load()}")
        start(hall, live, enso)
    if not vs:
        restart(hall, what, live)


def start(hall: Hall, live: int, enso: str) -> None:
    """Start an operator, and print what it takes until it knows every job."""
    mark, began = hall.cluster.audit.mark(), time.monotonic()
    with hall.operator(enso) as operator:
        _known(hall, operator, live, mark, began)


def restart(hall: Hall, what: str, live: int) -> None:
    """Start an operator, and print what it takes until it knows every job, and then at rest.

    Raises AssertionError where it writes beside jobs that need nothing.
    """
    print(f"{what}, each of {SCRIPTS} scripts; {_load()}")
    mark, began = hall.cluster.audit.mark(), time.monotonic()
    with hall.operator() as operator:
        asked = _known(hall, operator, live, mark, began)
        mark, used = hall.cluster.audit.mark(), operator.cpu
        time.sleep(MINUTE)
        print(f"  {operator.cpu - used:6.2f} s of a processor in a minute at rest")
        rested = hall.requests(mark)
        print(f"  asked for in that minute: {_told(rested)}")
        print(f"  {operator.mib:6.0f} MiB after it, {operator.peak_mib:.0f} at the most; {_load()}")
    # A job that waits for a quota asks for its Pod, on behalf of all.
    tries = sum((asked + rested)[f"create {kind}"] for kind in ("pods", "configmaps"))
    writes = _writes(asked + rested) - tries
    if writes > MOST_WRITES:
        raise AssertionError(f"{writes} writes, and {MOST_WRITES} are allowed")


def _known(hall: Hall, operator: Running, live: int, mark: int, began: float) -> Counter[str]:
    """Print what it takes until it knows every job; return what it has asked for."""
    operator.until("/readyz", "ok")
    ready = time.monotonic() - began
    operator.until("/metrics", f"enso_live_jobs {live:.1f}")
    print(f"  {ready:6.1f} s until it is ready (bound {MOST_SECONDS})")
    print(f"  {time.monotonic() - began:6.1f} s until it has seen every job")
    print(f"  {operator.cpu:6.1f} s of a processor for that")
    asked = _settled(hall, mark)
    print(f"  {time.monotonic() - began:6.1f} s until nothing of its start is left to be written")
    print(f"  {operator.mib:6.0f} MiB at rest (bound {MOST_MIB})")
    print(f"  {operator.peak_mib:6.0f} MiB at the most")
    print(f"  {operator.cpu:6.1f} s of a processor until then")
    print(f"  asked for that: {_told(asked)}", flush=True)
    return asked


def _settled(hall: Hall, mark: int) -> Counter[str]:
    """Return what is asked for until nothing is written for a while."""
    end = time.monotonic() + SETTLED_WITHIN_SECONDS
    asked, before = hall.requests(mark), -1
    while _writes(asked) != before:
        if time.monotonic() > end:
            raise AssertionError(f"it still writes: {_told(asked)}")
        before = _writes(asked)
        time.sleep(SETTLES_SECONDS)
        asked = hall.requests(mark)
    return asked


def _writes(asked: Counter[str]) -> int:
    reads = ("get ", "list ", "watch ")
    return sum(count for what, count in asked.items() if not what.startswith(reads))


def _told(asked: Counter[str]) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in sorted(asked.items())) or "nothing"


def _load() -> str:
    steal = psutil.cpu_times_percent(0.5).steal
    return f"load {os.getloadavg()[0]:.1f}, {steal:.0f} % stolen"


def _job(name: str, **spec: object) -> Document:
    scripts = [NO_OP | {"name": f"step-{number}"} for number in range(SCRIPTS)]
    return of_scripts(*scripts, **spec) | {"metadata": {"name": name}}


SIZES = ((1_000, 100, 1_000), (10_000, 500, 10_000))

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.idle", description=__doc__)
    parser.add_argument("sizes", type=int, nargs="*", metavar="FINISHED LIVE WAITING")
    parser.add_argument("--vs", type=Path, help="another checkout, with its .venv")
    chosen = parser.parse_args()
    other = str(chosen.vs.resolve() / ".venv" / "bin" / "enso") if chosen.vs else ""
    for finished, live, waiting in [chosen.sizes] if chosen.sizes else SIZES:
        with tempfile.TemporaryDirectory() as name:
            measure(Path(name), finished, live, waiting, other)
