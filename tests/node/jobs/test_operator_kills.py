"""An operator that is killed, by SIGKILL, before or after a call that it makes for a job in a Pod.

Every write is such a point, and of the other calls some. After each a second operator takes over.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.node.jobs.lanes import Lane, side_by_side
from tests.node.jobs.pod_namespace import PodNamespace
from tests.node.jobs.story import PodStory
from tests.support.eventually import until
from tests.support.fault_proxy import FaultProxy, after, before, number, on, writes
from tests.support.fault_proxy.rules import Fault, Filter
from tests.support.operators import Operator, Operators

WRITES = 13
"""What a job of three scripts takes: five, and eight Events."""
OTHERS, SAMPLE = 16, 4
"""At least so many other calls are made, of which one in four is a point: the log is asked for
again and again until it is there."""


@dataclass(frozen=True)
class Point:
    """When an operator is killed: at the n-th of such calls."""

    fault: Callable[[Callable[[], object]], Fault]
    calls: Filter
    number: int


POINTS = {
    "before-writes": [Point(before, writes(), n + 1) for n in range(WRITES)],
    "after-writes": [Point(after, writes(), n + 1) for n in range(WRITES)],
    "before-others": [Point(before, ~writes(), n + 1) for n in range(0, OTHERS, SAMPLE)],
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("when", POINTS)
def test_nothing_is_lost_or_done_twice(lanes: list[Lane], when: str) -> None:
    assert all(side_by_side(lanes, POINTS[when], is_survived))


def is_survived(lane: Lane, point: Point) -> bool:
    """Try one point; return whether it was reached."""
    story = lane.story()
    was_killed = is_killed(point, story, lane.operators)
    second = lane.operators.start()
    story.ends_well()
    second.kill()
    assert story.restarts("session") == 0
    return was_killed


def is_killed(point: Point, story: PodStory, operators: Operators) -> bool:
    """Run an operator until it is killed at that call; return False if it never makes it."""
    story.begin()
    victim: list[Operator] = []

    def kill() -> None:
        until(lambda: victim)  # it may call before we know it
        os.kill(victim[0].pid, signal.SIGKILL)

    with FaultProxy(operators.kubeconfig) as proxy:
        rule = proxy.add(
            number(point.number, point.calls),
            point.fault(kill),
            times=1,
        )
        victim.append(operators.start(kubeconfig=proxy.kubeconfig))
        until(lambda: not victim[0].process.is_alive() or story.is_over(), story.patience)
        victim[0].kill()
        return rule.used > 0


def test_a_pod_that_is_gone_before_its_release_is_lost_and_is_not_made_again(
    ns: PodNamespace, operators: Operators
) -> None:
    story = PodStory(ns)
    assert is_killed(Point(before, on("patch", "pods"), 1), story, operators)
    ns.kubectl("delete", "pod", story.pods()[0]["metadata"]["name"])
    operators.start()
    status = story.fails("Interrupted", "Interrupted", "Interrupted")
    assert "its Pod is gone" in status["failure"]["message"], status["failure"]
    assert story.pods() == []
