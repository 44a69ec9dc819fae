"""An operator that is killed, sleeps or is refused at calls that it makes for an EnsoAction."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from functools import partial

import pytest

from tests.cluster.failed_jobs import FailedJobs
from tests.cluster.kill_points import LANES, MOST_CALLS, at_every_call
from tests.cluster.watching import operator_that_watches
from tests.support.eventually import DEADLINE_SECONDS, until
from tests.support.fault_proxy import (
    FaultProxy,
    after,
    answer,
    before,
    number,
    on,
    watches,
)
from tests.support.fault_proxy.rules import Fault, Filter
from tests.support.operators import Operators


@pytest.mark.timeout(900)
@at_every_call
def test_each_action_acts_once_wherever_the_operator_is_killed(
    failed_jobs: FailedJobs,
    operators: Operators,
    fault: Callable[[Callable[[], object]], Fault],
    calls: Filter,
    lane: int,
) -> None:
    job = failed_jobs.create("shot")
    with FaultProxy(operators.kubeconfig) as proxy:
        operator = operator_that_watches(operators, proxy)
        for point in range(1 + lane, MOST_CALLS, LANES):
            kill = partial(os.kill, operator.pid, signal.SIGKILL)
            rule = proxy.add(number(point, calls), fault(kill), times=1)
            job.is_asked()
            until(partial(job.is_over_or, rule))
            if not rule.used:
                job.ends_well()
                return
            operator.process.join(DEADLINE_SECONDS)
            following = failed_jobs.create(f"shot-{point}")
            operator = operator_that_watches(operators, proxy)
            job.ends_well()
            job = following
    pytest.fail(f"an operator makes more than {MOST_CALLS} calls for two actions")


@pytest.mark.parametrize("fault", [before, after])
@pytest.mark.parametrize("point", range(1, 8))
def test_one_that_sleeps_while_another_acts_and_wakes(
    failed_jobs: FailedJobs,
    operators: Operators,
    fault: Callable[[Callable[[], object]], Fault],
    point: int,
) -> None:
    job = failed_jobs.create("shot")
    with FaultProxy(operators.kubeconfig) as proxy:
        sleeper = operator_that_watches(operators, proxy)
        sleep = partial(sleeper.send, signal.SIGSTOP)
        rule = proxy.add(number(point, ~watches()), fault(sleep), times=1)
        job.is_asked()
        until(lambda: rule.used)
        operators.start()
        job.ends_well()
        sleeper.send(signal.SIGCONT)
        until(lambda: "enso_live_jobs 0.0" in sleeper.http_get("/metrics")[1])
        job.ends_well()


@pytest.mark.parametrize("code", [410, 429, 500])
def test_a_watch_of_actions_that_is_refused_is_made_again_and_misses_none(
    failed_jobs: FailedJobs, operators: Operators, code: int
) -> None:
    job = failed_jobs.create("shot")
    with FaultProxy(operators.kubeconfig) as proxy:
        operator = operator_that_watches(operators, proxy, "--resync-seconds=600")
        refuses = answer(code, "not this watch", {"Retry-After": "1"})
        rule = proxy.add(on("watch", "ensoactions"), refuses, times=2)
        proxy.cut()
        until(lambda: rule.used)
        job.is_asked()
        job.ends_well()
        assert operator.process.is_alive()


def test_two_that_are_awake_do_what_one_would(
    failed_jobs: FailedJobs, operators: Operators
) -> None:
    jobs = failed_jobs.create_each(f"shot-{count}" for count in range(10))
    for _ in range(2):
        operators.ready()
    for job in jobs:
        job.is_asked()
    for job in jobs:
        job.ends_well()
