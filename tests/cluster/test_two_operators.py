"""Two operators on one cluster: both awake, or one that sleeps while the other works."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.story import Story
from tests.support.eventually import until
from tests.support.fault_proxy import FaultProxy, after, before, number, on
from tests.support.fault_proxy.rules import Fault, Filter
from tests.support.operators import Operator, Operators

JOBS = 10
STATUS, EVENTS = on("patch", "ensojobs/status"), on("create", "events")


def test_both_awake_do_what_one_would(
    ns: ClusterNamespace, operators: Operators, tmp_path: Path
) -> None:
    both = [operators.start(), operators.start()]
    until(lambda: all(operator.is_ready() for operator in both))
    stories = [Story(ns, f"shot-{i}", tmp_path / f"note-{i}") for i in range(JOBS)]
    for story in stories:
        story.begin()
    for story in stories:
        story.ends_well()
    assert all(operator.process.is_alive() for operator in both)


@pytest.mark.parametrize("fault", [before, after])
@pytest.mark.parametrize(
    ("point", "calls"),
    [(1, STATUS), (2, STATUS), (1, EVENTS), (3, EVENTS), (5, EVENTS), (8, EVENTS)],
    ids=["opening", "ending", "first", "third", "middle", "last"],
)
def test_one_that_sleeps_through_the_life_of_a_job_and_wakes(
    ns: ClusterNamespace,
    operators: Operators,
    tmp_path: Path,
    fault: Callable[[Callable[[], object]], Fault],
    point: int,
    calls: Filter,
) -> None:
    story = Story(ns, "shot", tmp_path / "note")
    sleeper: list[Operator] = []
    with FaultProxy(operators.kubeconfig) as proxy:
        asleep = proxy.add(
            number(point, calls), fault(lambda: sleeper[0].send(signal.SIGSTOP)), times=1
        )
        sleeper.append(operators.start(kubeconfig=proxy.kubeconfig))
        story.begin()
        until(lambda: asleep.used)
        operators.start()
        story.ends_well()
        sleeper[0].send(signal.SIGCONT)
        until(lambda: "enso_live_jobs 0.0" in sleeper[0].http_get("/metrics")[1])
        story.ends_well()
    until(lambda: not operators.supervisors())
