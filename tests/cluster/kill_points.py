"""Each call of an operator at which tests kill it, before it is made or after its answer."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

import pytest

from tests.cluster.story import Story
from tests.support.eventually import until
from tests.support.fault_proxy import FaultProxy, after, anything, before, number, watches
from tests.support.fault_proxy.rules import Fault, Filter
from tests.support.operators import Operator, Operators

MOST_CALLS = 60
LANES = 2
"""Number of parts into which the points are divided, for parallel workers."""
_FAULTS = {"before": (before, anything()), "after": (after, ~watches())}
at_every_call = pytest.mark.parametrize(
    ("fault", "calls", "lane"),
    [(fault, calls, lane) for fault, calls in _FAULTS.values() for lane in range(LANES)],
    ids=[f"{name}-{lane}" for name in _FAULTS for lane in range(LANES)],
)
"""Runs a test for each fault and the calls that it may meet, in each lane."""


def end_well_wherever_the_operator_is_killed(
    operators: Operators,
    story_of: Callable[[int], Story],
    fault: Callable[[Callable[[], object]], Fault],
    calls: Filter,
    lane: int,
) -> None:
    """Kill an operator at each call of the lane, let another go on, and assert that all is well."""
    for point in range(1 + lane, MOST_CALLS, LANES):
        story = story_of(point)
        was_killed = _is_killed_at(point, fault, calls, story, operators)
        second = operators.start()
        story.ends_well()
        second.kill()
        until(lambda: not operators.supervisors())
        if not was_killed:
            return
    pytest.fail(f"an operator makes more than {MOST_CALLS} calls for one job")


def _is_killed_at(
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
        rule = proxy.add(number(point, calls), fault(partial(kill, victim)), times=1)
        victim.append(operators.start(kubeconfig=proxy.kubeconfig))
        until(lambda: not victim[0].process.is_alive() or story.is_over())
        victim[0].kill()
        return rule.used > 0


def kill(victim: Sequence[Operator]) -> None:
    """Kill the operator, at a call that it makes: perhaps before it is known here.

    Where the job ends with that call, the test may have ended it already.
    """
    until(lambda: victim)
    with suppress(ProcessLookupError):
        victim[0].send(signal.SIGKILL)
