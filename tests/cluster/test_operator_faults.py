"""An operator whose API server contradicts it, is away, or falls silent."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.story import Story
from tests.cluster.watching import operator_that_watches
from tests.support.eventually import until
from tests.support.fault_proxy import (
    FaultProxy,
    answer,
    answer_nonetheless,
    anything,
    every,
    on,
    randomly,
    watches,
    writes,
)
from tests.support.fault_proxy.rules import Fault, Filter, Turn
from tests.support.operators import Operators
from tests.support.resources import of_scripts

AWAY = "etcdserver: request timed out"
BUSY = {"Retry-After": "1"}


@pytest.fixture
def story(ns: ClusterNamespace, tmp_path: Path) -> Story:
    return Story(ns, "shot", tmp_path / "note")


STATUS, EVENTS = on("patch", "ensojobs/status"), on("create", "events")
READS = ~writes() & ~watches()
FAULTS: dict[str, tuple[Filter | Turn, Fault, int]] = {
    "conflict": (every(2, STATUS), answer(409, "the object has been modified"), 9),
    "status-500": (STATUS, answer(500, AWAY), 2),
    "status-done-504": (STATUS, answer_nonetheless(504, AWAY), 2),
    "events-429": (every(2, EVENTS), answer(429, "slow down", BUSY), 9),
    "events-done-500": (every(2, EVENTS), answer_nonetheless(500, AWAY), 9),
    "reads-500": (READS, answer(500, AWAY), 2),
    "watch-410": (watches(), answer(410, "too old resource version"), 2),
    "watch-429": (watches(), answer(429, "slow down", BUSY), 2),
    "watch-500": (watches(), answer(500, AWAY), 2),
    "anything-503": (randomly(0.3, 1, anything()), answer(503, AWAY), 20),
    "anything-done-500": (randomly(0.3, 2, ~watches()), answer_nonetheless(500, AWAY), 20),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_end_is_that_of_an_undisturbed_run(
    operators: Operators, story: Story, proxy: FaultProxy, fault: str
) -> None:
    operator = operator_that_watches(operators, proxy, "--resync-seconds=1")
    rule = proxy.add(*FAULTS[fault])
    proxy.cut()
    story.begin()
    story.ends_well()
    until(lambda: rule.used)
    assert operator.process.is_alive()


def test_a_watch_that_falls_silent_is_told_and_made_good(
    operators: Operators, story: Story, proxy: FaultProxy
) -> None:
    operator = operator_that_watches(operators, proxy, "--resync-seconds=1")
    assert operator.http_get("/healthz") == (200, "ok\n")
    proxy.silence()
    story.begin()
    until(lambda: operator.http_get("/healthz")[0] == 503)
    assert "the watch has not shown" in operator.http_get("/healthz")[1]
    proxy.heal()
    proxy.cut()
    story.ends_well()
    until(lambda: operator.http_get("/healthz")[0] == 200)


def test_a_job_whose_deletion_no_watch_shows_is_ended(
    ns: ClusterNamespace, operators: Operators, proxy: FaultProxy
) -> None:
    ns.apply(of_scripts({"name": "long", "source": "import time\ndef main(): time.sleep(60)"}))
    operator = operators.start("--resync-seconds=1", kubeconfig=proxy.kubeconfig)
    until(lambda: "ScriptStarted" in dict(ns.job_events()))
    proxy.silence()
    ns.kubectl("delete", "ensojob", "shot")
    until(lambda: not operators.supervisors() and not operators.folders())
    assert operator.process.is_alive()


def test_an_api_server_that_is_away_for_a_while_disturbs_nothing(
    operators: Operators, story: Story, proxy: FaultProxy
) -> None:
    operator = operators.start("--resync-seconds=1", kubeconfig=proxy.kubeconfig)
    until(operator.is_ready)
    story.begin()
    until(story.note.exists)
    proxy.away()
    until(lambda: len(story.note.read_text().split()) == 3)
    until(lambda: operator.http_get("/readyz")[0] == 503)
    assert operator.http_get("/healthz")[0] == 200
    proxy.back()
    story.ends_well()
    until(operator.is_ready)
