"""An operator that is killed, by SIGKILL, before or after any call that it makes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.kill_points import LANES, MOST_CALLS, at_every_call
from tests.cluster.story import Story
from tests.support.eventually import until
from tests.support.fault_proxy import FaultProxy, number
from tests.support.fault_proxy.rules import Fault, Filter
from tests.support.operators import Operator, Operators


def is_killed_at(
    point: int,
    fault: Callable[[Callable[[], object]], Fault],
    calls: Filter,
    story: Story,
    operators: Operators,
) -> bool:
    """Run an operator until it is killed at that call; return False if it never makes it."""
    story.begin()
    victim: list[Operator] = []
    with FaultProxy(operators.kubeconfig) as proxy:
        rule = proxy.add(
            number(point, calls), fault(lambda: os.kill(victim[0].pid, signal.SIGKILL)), times=1
        )
        victim.append(operators.start(kubeconfig=proxy.kubeconfig))
        until(lambda: not victim[0].process.is_alive() or story.is_over())
        victim[0].kill()
        return rule.used > 0


@pytest.mark.timeout(600)
@at_every_call
def test_nothing_is_lost_or_done_twice(
    ns: ClusterNamespace,
    operators: Operators,
    tmp_path: Path,
    fault: Callable[[Callable[[], object]], Fault],
    calls: Filter,
    lane: int,
) -> None:
    for point in range(1 + lane, MOST_CALLS, LANES):
        story = Story(ns, f"shot-{point}", tmp_path / f"note-{point}")
        was_killed = is_killed_at(point, fault, calls, story, operators)
        second = operators.start()
        story.ends_well()
        second.kill()
        until(lambda: not operators.supervisors())
        if not was_killed:
            return
    pytest.fail(f"an operator makes more than {MOST_CALLS} calls for one job")
