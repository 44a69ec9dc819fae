"""This checkout and another one, in turn on one node: what a change has saved, and where.

Both are installed (`make install`); each has an operator of its own, in a namespace of its own,
whose Pods have its runtime. The CRDs are this checkout's.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from dev.node import containers, images, operator_image
from dev.node.images import Image
from dev.node.node import Node

from benchmarks import load, node, pods, steps
from benchmarks.table import line
from benchmarks.watching import watching
from tests.support.nodes import new_namespace, why_no_node
from tests.support.running import cpu_seconds

ROUNDS = pods.ROUNDS
_BUILD = "from dev.node import operator_image; print(operator_image.built().digest)"


@dataclass
class Version:
    """An operator of one checkout, and what its jobs took."""

    namespace: str
    pid: int
    seconds: dict[int, list[float]] = field(
        default_factory=lambda: {count: [] for count in pods.SIZES}
    )
    """How long jobs took, by their number of scripts."""
    cpu: dict[int, list[float]] = field(default_factory=lambda: {count: [] for count in pods.SIZES})
    """Seconds of a processor that the operator used for each."""

    async def measure(self, bench: pods.Bench, count: int) -> None:
        """Run one job."""
        before = cpu_seconds(self.pid)
        run = await bench.scripts(count)
        self.seconds[count].append(run.seconds)
        self.cpu[count].append(cpu_seconds(self.pid) - before)


def measure(folder: Path, *, checkout: Path) -> None:
    """Print what jobs of both take, or why nothing is measured."""
    if sentence := why_no_node():
        print(f"Nothing is measured: {sentence}")
        return
    python = checkout.resolve() / ".venv" / "bin" / "python"
    if not python.exists():
        sys.exit(f"There is no {python}: `make install` there first")
    with ExitStack() as stack:
        running = stack.enter_context(node.ready())
        theirs = stack.enter_context(_version(running, python, folder / "before"))
        ours = stack.enter_context(_version(running, Path(sys.executable), folder / "now"))
        stack.enter_context(load.told())
        asyncio.run(_measure(running, ours, theirs))


async def _measure(running: Node, ours: Version, theirs: Version) -> None:
    async with AsyncExitStack() as stack:
        benches = {
            version.namespace: pods.Bench(
                await stack.enter_async_context(watching(running.kubeconfig, version.namespace))
            )
            for version in (ours, theirs)
        }
        for bench in benches.values():
            await bench.scripts(1)
        for number in range(ROUNDS):
            for count in pods.SIZES:
                # Who is first changes, as each runs a little in the wake of the other.
                for version in (ours, theirs) if number % 2 else (theirs, ours):
                    await version.measure(benches[version.namespace], count)
        for count in pods.SIZES:
            _show(count, ours, theirs)
            now, before = [
                await steps.table(bench.runs[count], bench.watch, running.audit)
                for bench in (benches[ours.namespace], benches[theirs.namespace])
            ]
            steps.show(f"A job of {count} no-op scripts", now, before)


def _show(count: int, ours: Version, theirs: Version) -> None:
    line(f"a job of {count}: now / before", [*_ratios(ours.seconds[count], theirs.seconds[count])])
    used = [statistics.mean(version.cpu[count]) * 1000 for version in (ours, theirs)]
    print(f"its operator's processor: {used[0]:.0f} ms (before: {used[1]:.0f} ms)")


def _ratios(ours: list[float], theirs: list[float]) -> Iterator[float]:
    return (our / their for our, their in zip(ours, theirs, strict=True))


@contextmanager
def _version(running: Node, python: Path, folder: Path) -> Generator[Version]:
    """Yield the version of the checkout of this Python, its operator ready."""
    folder.mkdir()
    root = python.parents[2]
    made = subprocess.run(
        [str(python), "-c", _BUILD], cwd=root, capture_output=True, text=True, check=True
    )
    image = Image(operator_image.NAME, made.stdout.split()[-1])
    containers.load(image)
    with new_namespace(running, "bench") as namespace:
        flags = ("--sessions=pods", f"--records-image={image.built}", "--health-port=0")
        own = (f"--session-image={images.PYTHON}", f"--namespaces={namespace}")
        with (folder / "operator.log").open("wb") as output:
            process = subprocess.Popen(
                [str(python), "-m", "enso_operator", "operator", *flags, *own],
                cwd=root,
                env=os.environ | {"KUBECONFIG": str(running.kubeconfig)},
                stdout=output,
                stderr=output,
            )
        try:
            yield Version(namespace, process.pid)
        finally:
            process.kill()
            process.wait()
