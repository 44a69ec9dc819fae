"""How much a tenant who attacks slows down the jobs of another tenant, on a real node.

Each line is the time of a no-op job in one namespace while somebody in another namespace attacks,
over its time before that; the last
one is the peak of the operator's memory.
``python -m benchmarks.tenants`` runs this alone.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import socket
import statistics
import tempfile
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from dev.node.node import Node

from benchmarks import node
from benchmarks.pods import NO_OP
from benchmarks.run import Run
from benchmarks.table import line
from benchmarks.watching import Watching, watching
from enso_operator.sessions.pods.names import GATE, JOB_UID_LABEL
from tests.node.pods import pod
from tests.support.nodes import why_no_node
from tests.support.operators import Operator
from tests.support.resources import Document, job

ROUNDS = 5
MOST = 2.0
"""How much slower another tenant's job may be: docs/architecture.md promises it."""
LIMIT_MIB = 512
"""The memory limit of the chart."""
JOURNAL = "/enso/run/journal"
FOUND_SECONDS = 5.0
NEWLINES = f"""
def main():
    with open({JOURNAL!r}, "ab", 0) as journal:
        for _ in range(2000):
            journal.write(b"\\n" * 65536)
"""
LONG_LINE = f"""
def main():
    with open({JOURNAL!r}, "ab", 0) as journal:
        for _ in range(60):
            journal.write(b"x" * 1000000)
        journal.write(b"\\n")
"""
MANY_RECORDS = f"""
import re
def main():
    with open({JOURNAL!r}, "rb") as journal:
        last = journal.read().splitlines()[-1]
    seq = int(re.search(rb'"seq":(\\d+)', last)[1])
    with open({JOURNAL!r}, "ab", 0) as journal:
        for number in range(seq + 1, seq + 5001):
            journal.write(re.sub(rb'"seq":\\d+', b'"seq":%d' % number, last) + b"\\n")
"""
SMALL = {"requests": {"cpu": "50m"}, "limits": {"cpu": "250m", "memory": "256Mi"}}
"""Limits of an attacker's Pod, so that the operator is measured and not a busy node."""

Attack = Callable[["Attacker"], AbstractAsyncContextManager[None]]


@dataclass(frozen=True)
class Attacker:
    """Somebody who may do what they like in one namespace."""

    node: Node
    namespace: str
    operator: Operator

    async def apply(self, *documents: Document) -> None:
        """Create or change objects there."""
        listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": [*documents]})
        arguments = ("-n", self.namespace, "apply", "--server-side", "-f", "-")
        await asyncio.to_thread(lambda: self.node.kubectl(*arguments, stdin=listed))

    async def clean(self) -> None:
        """Remove everything that was applied."""
        for kinds in ("ensojobs,quota", "pods"):
            arguments = ("-n", self.namespace, "delete", kinds, "--all", "--wait=false")
            await asyncio.to_thread(self.node.kubectl, *arguments)


@asynccontextmanager
async def deep_json(attacker: Attacker) -> AsyncGenerator[None]:
    """Arguments that are nested deeper than Python parses."""
    for depth in (600, 1200, 9000):
        document = job({"scripts": [{"name": "only", "source": NO_OP, "args": {"a": 0}}]}, "deep")
        document["metadata"]["name"] = f"deep-{depth}"
        text = json.dumps(document).replace('"a": 0', '"a": ' + "[" * depth + "]" * depth)
        arguments = ("-n", attacker.namespace, "create", "-f", "-")
        await asyncio.to_thread(attacker.node.kubectl, *arguments, stdin=text)
    yield


def flood(source: str, count: int) -> Attack:
    """Return an attack by sessions that write nonsense into their own records."""

    @asynccontextmanager
    async def attack(attacker: Attacker) -> AsyncGenerator[None]:
        session = {"name": "main", "resources": SMALL}
        scripts = [{"name": "flood", "source": source}]
        spec = {"sessions": [session], "scripts": scripts}
        await attacker.apply(*(job(spec, f"flood-{number}") for number in range(count)))
        await asyncio.sleep(FOUND_SECONDS)  # until their Pods run
        yield

    return attack


@asynccontextmanager
async def waiting_for_a_quota(attacker: Attacker) -> AsyncGenerator[None]:
    """A hundred jobs whose Pods the namespace has no room for."""
    hard = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}}
    await attacker.apply(hard | {"spec": {"hard": {"pods": "0"}}})
    spec = {"scripts": [{"name": "only", "source": NO_OP}]}
    await attacker.apply(*(job(spec, f"waits-{number}") for number in range(100)))
    await asyncio.sleep(FOUND_SECONDS)
    yield


@asynccontextmanager
async def large_jobs(attacker: Attacker) -> AsyncGenerator[None]:
    """Suspended jobs, each nearly as large as an object may be."""
    text = "x" * 60000
    scripts = [{"name": f"s{i}", "source": f"# {text}\n{NO_OP}"} for i in range(15)]
    for number in range(60):
        await attacker.apply(job({"scripts": scripts, "suspend": True}, f"large-{number}"))
    yield


@asynccontextmanager
async def idle_connections(attacker: Attacker) -> AsyncGenerator[None]:
    """Connections to the port of the probes that say nothing."""
    address = urlsplit(attacker.operator.health)
    where = (str(address.hostname), int(address.port or 0))
    with ExitStack() as stack:
        for _ in range(400):
            stack.enter_context(socket.create_connection(where, timeout=10))
        yield


@asynccontextmanager
async def foreign_pod(attacker: Attacker) -> AsyncGenerator[None]:
    """A Pod with the label of a job's Pods, for a job that does not exist."""
    document = pod("foreign", "import time; time.sleep(600)")
    document["metadata"]["labels"] = {JOB_UID_LABEL: "nobody"}
    document["spec"]["schedulingGates"] = [{"name": GATE}]
    await attacker.apply(document)
    yield


ATTACKS: dict[str, Attack] = {
    "arguments nested 600 to 9,000 deep": deep_json,
    "130 MB of newlines as records of each of 4 Pods": flood(NEWLINES, 4),
    "a record of 60 MB in each of 4 Pods": flood(LONG_LINE, 4),
    "5,000 records too many": flood(MANY_RECORDS, 1),
    "100 jobs that wait for a quota": waiting_for_a_quota,
    "60 suspended jobs of 0.9 MB": large_jobs,
    "400 connections to the probes' port": idle_connections,
    "a Pod with only half of our labels": foreign_pod,
}


def measure(folder: Path) -> None:
    """Print a line for each attack, or why there are none."""
    if sentence := why_no_node():
        print(f"What one tenant does to another is not measured: {sentence}")
        return
    flags = ("--resync-seconds=5", "--grace-seconds=2")
    with node.operated(folder, *flags, namespaces=2) as (running, (victim, attacker), operator):
        asyncio.run(_measure(running, victim, Attacker(running, attacker, operator)))
        line(f"MiB of memory that the operator came to (at most {LIMIT_MIB})", [_peak(operator)])


async def _measure(running: Node, victim: str, attacker: Attacker) -> None:
    async with watching(running.kubeconfig, victim) as watch:
        await _jobs(watch)
        for what, attack in ATTACKS.items():
            before = statistics.median(await _jobs(watch))
            async with attack(attacker):
                ratios = [seconds / before for seconds in await _jobs(watch)]
            line(f"a job of another tenant: {what} (at most {MOST:g})", ratios)
            await attacker.clean()


async def _jobs(watch: Watching) -> list[float]:
    """Return how long jobs take that do nothing, one after the other."""
    spec = {"scripts": [{"name": "only", "source": NO_OP}]}
    names = [f"job-{secrets.token_hex(3)}" for _ in range(ROUNDS)]
    return [(await Run.of(watch, job(spec, name))).seconds for name in names]


def _peak(operator: Operator) -> float:
    # psutil does not have the peak.
    status = Path(f"/proc/{operator.pid}/status").read_text("utf-8")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        measure(Path(name))
