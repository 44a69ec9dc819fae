"""Jobs in Pods of a real node, each beside what Kubernetes itself takes, in the same run.

A time is from the request that creates an object until a watch shows its end: Finished=True of a
job, Succeeded of a bare Pod.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from dev.node.images import PYTHON
from dev.node.node import Node

from benchmarks import load, node, steps
from benchmarks.run import Run, is_of
from benchmarks.table import line
from benchmarks.watching import Document, Watching, watching
from tests.node.pods import manifest
from tests.support.nodes import why_no_node
from tests.support.resources import job

SIZES = {1: 0.45, 10: 0.5, 50: 0.55}
"""Scripts in a job, and how much of a bare Pod's time it may take on a quiet machine."""
BUSY_SIZES = {1: 0.7, 10: 0.8, 50: 0.9}
"""The same beside `stress-ng`."""
ROUNDS, LONG_ROUNDS, TIMES_INIT_CONTAINERS = 15, 2, 40
BARE = {"image": PYTHON, "command": ["python3", "-I", "-S", "-c", "pass"]}
NO_OP = "def main():\n    pass\n"


def measure(folder: Path, *, is_busy: bool = False) -> None:
    """Print the lines of jobs in Pods, or why there are none.

    Raises AssertionError where they take too long.
    """
    if sentence := why_no_node() or (load.why_not_spinning() if is_busy else ""):
        print(f"Jobs in Pods are not measured: {sentence}")
        return
    with node.operated(folder) as (running, (namespace,), _), ExitStack() as stack:
        stack.enter_context(load.told())
        if is_busy:
            stack.enter_context(load.spinning())
        asyncio.run(_measure(running, namespace, BUSY_SIZES if is_busy else SIZES))


async def _measure(running: Node, namespace: str, bounds: dict[int, float]) -> None:
    async with watching(running.kubeconfig, namespace) as watch:
        bench = Bench(watch)
        await bench.scripts(1)
        await bench.bare()
        missed = await _beside_a_bare_pod(bench, bounds)
        # They wait for ticks of the kubelet, which come as often on a busy machine.
        least = TIMES_INIT_CONTAINERS if bounds is SIZES else None
        missed.append(await _beside_init_containers(bench, least))
        for count in (min(SIZES), max(SIZES)):
            table = await steps.table(bench.runs[count], watch, running.audit)
            steps.show(f"A job of {count} no-op scripts", table)
    if missed := [*filter(None, missed)]:
        raise AssertionError("\n".join(missed))


async def _beside_a_bare_pod(bench: Bench, bounds: dict[int, float]) -> list[str]:
    ratios: dict[int, list[float]] = {count: [] for count in bounds}
    bare: list[float] = []
    for _ in range(ROUNDS):
        for count in bounds:
            bare.append(await bench.bare())
            run = await bench.scripts(count)
            ratios[count].append(run.seconds / bare[-1])
    missed = [
        line(f"a job of {count} no-op scripts / a bare Pod", ratios[count], most=most)
        for count, most in bounds.items()
    ]
    line("a bare Pod, in seconds of this machine as it is now", bare)
    return missed


async def _beside_init_containers(bench: Bench, least: float | None) -> str:
    ratios: list[float] = []
    for _ in range(LONG_ROUNDS):
        ours = await bench.scripts(50)
        ratios.append(await bench.init_containers(50) / ours.seconds)
    what = "50 init containers / a job of 50 no-op scripts"
    return line(what, ratios, least=least)


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
