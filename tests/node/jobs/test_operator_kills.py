"""An operator that is killed, by SIGKILL, before or after a call that it makes for a job in a Pod.

Every write is such a point, and of the other calls some. After each a second operator takes over.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from dev.node.node import Node
from kubernetes.client import ApiClient

from tests.node.conftest import new_namespace
from tests.node.jobs.conftest import PODS
from tests.node.jobs.pod_desk import PodDesk
from tests.node.jobs.story import PodStory
from tests.support.fault_proxy import FaultProxy, after, before, number, writes
from tests.support.fault_proxy.rules import Fault, Filter
from tests.support.operators import Operator, Operators, operators_of, until

LANES = 4
"""Points that are tried side by side: most of the time something is waited for."""
MOST_CALLS = 60
SAMPLE = 4
"""Of the calls that change nothing one in so many is a point."""


@dataclass(frozen=True)
class Point:
    """When an operator is killed: at the n-th of such calls."""

    fault: Callable[[Callable[[], object]], Fault]
    calls: Filter
    number: int


WRITES = 16
"""Five, and eleven Events; a commit of progress may come on top."""
POINTS = {
    "before-writes": [Point(before, writes(), n) for n in range(1, MOST_CALLS)],
    "after-writes": [Point(after, writes(), n) for n in range(1, MOST_CALLS)],
    "before-others": [Point(before, ~writes(), n) for n in range(1, MOST_CALLS, SAMPLE)],
}
LEAST = {"before-writes": WRITES, "after-writes": WRITES, "before-others": 16 // SAMPLE}


def is_killed(point: Point, story: PodStory, operators: Operators) -> bool:
    """Run an operator until it is killed at that call; return False where it makes none."""
    story.begin()
    victim: list[Operator] = []
    with FaultProxy(operators.kubeconfig) as proxy:
        rule = proxy.add(
            number(point.number, point.calls),
            point.fault(lambda: os.kill(victim[0].pid, signal.SIGKILL)),
            times=1,
        )
        victim.append(operators.start(kubeconfig=proxy.kubeconfig))
        until(lambda: not victim[0].process.is_alive() or story.is_over())
        victim[0].kill()
        return rule.used > 0


@dataclass
class Lane:
    """One namespace, in which one point is tried after the other."""

    desk: PodDesk
    operators: Operators
    reached: list[Point] = field(default_factory=list[Point])

    def try_all(self, points: Sequence[Point]) -> None:
        """Stop where an operator makes no more such calls."""
        for point in points:
            story = PodStory(self.desk, f"shot-{point.number}")
            was_killed = is_killed(point, story, self.operators)
            second = self.operators.start()
            story.ends_well()
            second.kill()
            assert story.restarts("session") == 0
            if not was_killed:
                return
            self.reached.append(point)


@pytest.fixture
def lanes(node: Node, client: ApiClient, tmp_path: Path) -> Generator[list[Lane]]:
    with ExitStack() as stack:
        found: list[Lane] = []
        for _ in range(LANES):
            namespace = stack.enter_context(new_namespace(node))
            root = tmp_path / namespace
            root.mkdir()
            operators = stack.enter_context(operators_of(node.kubeconfig, namespace, root, PODS))
            found.append(Lane(PodDesk(node, client, namespace), operators))
        yield found


@pytest.mark.timeout(600)
@pytest.mark.parametrize("when", POINTS)
def test_nothing_is_lost_or_done_twice(lanes: list[Lane], when: str) -> None:
    parts = [POINTS[when][first::LANES] for first in range(LANES)]
    with ThreadPoolExecutor(LANES) as pool:
        for _ in pool.map(Lane.try_all, lanes, parts):
            pass
    reached = sum(len(lane.reached) for lane in lanes)
    assert LEAST[when] <= reached < len(POINTS[when])
