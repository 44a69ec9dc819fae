"""Jobs in Pods of a real node, each beside what Kubernetes itself takes, in the same run.

A time is from the request that creates an object until a watch shows its end: Finished=True of a
job, Succeeded of a bare Pod.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from dev.node.images import PYTHON
from dev.node.node import Node

from benchmarks import node, steps
from benchmarks.run import Run, is_of
from benchmarks.table import line
from benchmarks.watching import Document, Watching, watching
from tests.node.pods import manifest
from tests.support.nodes import why_no_node
from tests.support.resources import job

SIZES = {1: 0.7, 10: 0.75, 50: 0.85}
"""Scripts in a job, and how much of a bare Pod's time it may take."""
ROUNDS, LONG_ROUNDS = 10, 2
BARE = {"image": PYTHON, "command": ["python3", "-I", "-S", "-c", "pass"]}
NO_OP = "def main():\n    pass\n"


def measure(folder: Path) -> None:
    """Print the lines of jobs in Pods, or why there are none."""
    if sentence := why_no_node():
        print(f"Jobs in Pods are not measured: {sentence}")
        return
    with node.operated(folder) as (running, (namespace,), _):
        asyncio.run(_measure(running, namespace))


async def _measure(running: Node, namespace: str) -> None:
    async with watching(running.kubeconfig, namespace) as watch:
        bench = Bench(watch)
        await bench.scripts(1)
        await bench.bare()
        await _beside_a_bare_pod(bench)
        await _beside_init_containers(bench)
        for count in (min(SIZES), max(SIZES)):
            await steps.show(count, bench.runs[count], watch, running.audit)


async def _beside_a_bare_pod(bench: Bench) -> None:
    ratios: dict[int, list[float]] = {count: [] for count in SIZES}
    bare: list[float] = []
    for _ in range(ROUNDS):
        for count in SIZES:
            bare.append(await bench.bare())
            run = await bench.scripts(count)
            ratios[count].append(run.seconds / bare[-1])
    for count, most in SIZES.items():
        what = f"a job of {count} no-op scripts / a bare Pod (at most {most})"
        line(what, ratios[count])
    line("a bare Pod, in seconds of this machine as it is now", bare)


async def _beside_init_containers(bench: Bench) -> None:
    ratios: list[float] = []
    for _ in range(LONG_ROUNDS):
        ours = await bench.scripts(50)
        ratios.append(await bench.init_containers(50) / ours.seconds)
    line("50 init containers / a job of 50 no-op scripts (at least 30)", ratios)


@dataclass
class Bench:
    """What is measured, in one namespace."""

    watch: Watching
    runs: dict[int, dict[Run, steps.Files]] = field(
        default_factory=lambda: defaultdict[int, dict[Run, steps.Files]](dict)
    )
    """The runs of jobs, by their number of scripts."""

    async def bare(self) -> float:
        """Return what a bare Pod takes, until its status says Succeeded."""
        return await self._pod(manifest(_name("bare"), BARE))

    async def init_containers(self, count: int) -> float:
        """Return what a Pod takes that runs something in so many containers, one by one."""
        document = manifest(_name("init"), BARE)
        main = document["spec"]["containers"][0]
        chain = [main | {"name": f"init-{number}"} for number in range(count)]
        document["spec"]["initContainers"] = chain
        return await self._pod(document)

    async def scripts(self, count: int) -> Run:
        """Run a job of `count` no-op scripts; return when the job and its Pods have ended."""
        name = _name("job")
        scripts = [{"name": f"script-{number}", "source": NO_OP} for number in range(count)]
        async with asyncio.TaskGroup() as tasks:
            files = tasks.create_task(steps.files_of(self.watch, name))
            run = await Run.of(self.watch, job({"scripts": scripts}, name))
            await self.watch.until("pods", lambda pod: is_of(pod, name) and steps.is_over(pod))
        self.runs[count][run] = files.result()
        return run

    async def _pod(self, document: Document) -> float:
        return (await Run.of(self.watch, document)).seconds


def _name(kind: str) -> str:
    return f"{kind}-{secrets.token_hex(3)}"
