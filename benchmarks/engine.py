"""What runs jobs of ten steps: the operator of some checkout, or a workflow engine beside it."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import httpx2 as httpx
from kubernetes.client import ApiClient

from benchmarks.simulated import SESSION
from enso_operator.kube.client import ApiObjects
from enso_operator.kube.finished import UNFINISHED
from job_execution_framework.domain.events import (
    Event,
    ScriptEvent,
    ScriptStarted,
    ScriptSucceeded,
)
from job_execution_framework.service_layer.records import End, to_line
from tests.support.eventually import until
from tests.support.resources import Document, job

SCRIPTS = 10
SHORTEST_SECONDS = 20.0
"""A rate of a shorter time would be one of a few whole seconds."""
FLAGS = ("--sessions=pods", "--records-image=simulated", "--session-image=simulated")


@dataclass(frozen=True)
class Program:
    """A process that is measured."""

    pid: int
    log: Path

    def forget_peak(self) -> None:
        """Begin anew with what it had most of memory."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    @property
    def peak_mib(self) -> float:
        """The most memory that it had."""
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text())
        return int(found[1]) / 1024 if found else 0.0


class Engine(Protocol):
    """Runs jobs in one namespace."""

    @property
    def name(self) -> str:
        """What the output calls it."""
        ...

    @property
    def kinds(self) -> str:
        """The kinds of the objects that are left of its jobs, as kubectl takes them."""
        ...

    def running(
        self, client: ApiClient, kubeconfig: Path, namespace: str, log: Path
    ) -> AbstractContextManager[Program]:
        """Start it; it is ready for jobs when the block begins."""
        ...

    def create(self, client: ApiClient, namespace: str, number: int) -> None:
        """Create a job of ten steps, the one with this number."""
        ...

    def count_succeeded(self, client: ApiClient, namespace: str) -> int:
        """Say how many jobs have succeeded. Raises AssertionError where one has not."""
        ...

    def ends(self, client: ApiClient, namespace: str) -> list[str]:
        """Return when each job ended, as its status says it."""
        ...


@contextmanager
def program_of(
    command: list[str], log: Path, cwd: Path, environment: Mapping[str, str] = MappingProxyType({})
) -> Generator[Program]:
    """Yield a process whose output goes to `log`; end it afterwards."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env={**os.environ, **environment}, stdout=output, stderr=output, cwd=cwd
        )
    try:
        yield Program(process.pid, log)
    finally:
        process.kill()
        process.wait()


@dataclass(frozen=True)
class EnsoJobs:
    """The operator of a checkout."""

    checkout: Path
    kinds: str = "ensojobs,pods"

    @property
    def name(self) -> str:
        """The name of the checkout's folder."""
        return self.checkout.name

    @contextmanager
    def running(
        self, client: ApiClient, kubeconfig: Path, namespace: str, log: Path
    ) -> Generator[Program]:
        """Wait until it says that it is ready."""
        del client
        python = str(self.checkout / ".venv" / "bin" / "python")
        flags = (*FLAGS, f"--namespaces={namespace}", "--health-port=0")
        command = [python, "-m", "enso_operator", "operator", *flags]
        environment = {"KUBECONFIG": str(kubeconfig)}
        with program_of(command, log, self.checkout, environment) as program:
            until(lambda: _is_ready(log))
            yield program

    def create(self, client: ApiClient, namespace: str, number: int) -> None:
        """Create an EnsoJob."""
        ApiObjects(client, namespace, "ensojobs").create(document_of(number))

    def count_succeeded(self, client: ApiClient, namespace: str) -> int:
        """Read the table, as `kubectl get` does, when none of them is left that has not ended."""
        jobs = ApiObjects(client, namespace, "ensojobs")
        if next(jobs.each(fields=UNFINISHED), None):  # all of them would be much to read each time
            return 0
        rows = [row["cells"] for page in jobs.table() for row in page["rows"]]
        if failed := [cells for cells in rows if cells[1] in ("Failed", "Cancelled")]:
            raise AssertionError(
                f"{len(failed)} jobs have not succeeded, the first one: {failed[0]}"
            )
        return sum(cells[1] == "Succeeded" for cells in rows)

    def ends(self, client: ApiClient, namespace: str) -> list[str]:
        """Return their completion times."""
        jobs = ApiObjects(client, namespace, "ensojobs").each()
        return [str(job["status"]["completionTime"]) for job in jobs]


def sustained(ends: list[str]) -> str:
    """Say how many jobs a minute ended between the first and the last tenth of them.

    Statuses tell whole seconds; "" where that is too coarse.
    """
    times = sorted(datetime.fromisoformat(end) for end in ends)
    tenth = len(times) // 10
    seconds = (times[-tenth - 1] - times[tenth]).total_seconds()
    if seconds < SHORTEST_SECONDS:
        return ""
    return f"{60 * (len(times) - 2 * tenth) / seconds:.0f} a minute sustained"


def _is_ready(log: Path) -> bool:
    found = re.search(r"http://127\.0\.0\.1:\d+", log.read_text("utf-8"))
    return found is not None and httpx.get(f"{found[0]}/readyz", trust_env=False).is_success


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
