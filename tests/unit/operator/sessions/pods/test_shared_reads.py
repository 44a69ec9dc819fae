"""Pods that wait for their volumes: how often the Events of their namespace are read."""

from __future__ import annotations

import asyncio
import gc
import logging
import weakref
from collections.abc import Collection, Coroutine
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest

from enso_operator.sessions.pods.shared_reads import (
    FIRST_LOOK_SECONDS,
    LONGEST_PAUSE_SECONDS,
    TIMES_AS_LONG,
    SharedReads,
    Waiter,
)
from enso_operator.sessions.pods.volume_events import Why
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.errors import EnsoError, Unavailable
from tests.support.skipping_loop import run_skipping

MINUTE, HOUR = 60.0, 3600.0
PAUSES_UNTIL_LONGEST = 5
"""Of 3, 3, 6, 12, 24 and 48 s."""


@dataclass
class Cluster:
    """Namespaces whose Events can be read."""

    takes: float = 0.0
    """Seconds that a read takes."""
    errors: dict[str, EnsoError] = field(default_factory=dict[str, EnsoError])
    """By namespace."""
    missing: dict[str, str] = field(default_factory=dict[str, str])
    """What its Events say of a Pod."""
    reads: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])
    """Each read's namespace, and when it was."""
    found: dict[str, float] = field(default_factory=dict[str, float])
    """When a Pod had its answer."""

    def __post_init__(self) -> None:
        self.shared = SharedReads(self.read)

    async def read(self, namespace: str, uids: Collection[str]) -> dict[str, Why]:
        self.reads.append((namespace, round(asyncio.get_running_loop().time(), 1)))
        await asyncio.sleep(self.takes)
        if namespace in self.errors:
            raise self.errors[namespace]
        return {
            uid: ("FailedMount", Cause(Reason.CONFIG_ERROR, said))
            for uid, said in self.missing.items()
            if uid in uids
        }

    def pod_waits(self, uid: str, namespace: str = "shows") -> Waiter:
        return self.shared.join(namespace, uid, lambda: self.has_its_answer(uid))

    def has_its_answer(self, uid: str) -> None:
        self.found.setdefault(uid, asyncio.get_running_loop().time())

    def reads_of(self, namespace: str = "shows") -> list[float]:
        return [when for one, when in self.reads if one == namespace]


def pauses(times: list[float]) -> list[float]:
    return [round(later - sooner, 1) for sooner, later in pairwise(times)]


async def pods_come_and_go(cluster: Cluster, pods: int, each_waits: float) -> None:
    """Have so many Pods wait within a minute, one after the other, each for a while."""

    async def comes(number: int) -> None:
        await asyncio.sleep(number * MINUTE / pods)
        waiter = cluster.pod_waits(f"uid-{number}")
        await asyncio.sleep(each_waits)
        waiter.leave()

    await asyncio.gather(*(comes(number) for number in range(pods)))


def after(seconds: float, story: Coroutine[Any, Any, None]) -> None:
    """Run a story, and go on for so long."""

    async def both() -> None:
        await story
        await asyncio.sleep(seconds)

    run_skipping(both())


async def all_wait(cluster: Cluster, pods: int) -> None:
    for number in range(pods):
        cluster.pod_waits(f"uid-{number}")


def test_one_read_serves_all_pods_of_a_namespace() -> None:
    cluster = Cluster(missing={f"uid-{number}": "no secret" for number in range(200)})
    after(FIRST_LOOK_SECONDS + 0.1, all_wait(cluster, 200))
    assert len(cluster.reads) == 1
    assert len(cluster.found) == 200


def test_ten_thousand_pods_that_wait_cost_what_one_costs() -> None:
    cluster = Cluster()
    after(HOUR, all_wait(cluster, 10_000))
    least = HOUR / LONGEST_PAUSE_SECONDS
    assert least <= len(cluster.reads) <= least + PAUSES_UNTIL_LONGEST


@pytest.mark.parametrize("pods", [200, 2_000])
def test_pods_that_come_one_after_the_other_share_reads(pods: int) -> None:
    cluster = Cluster()
    run_skipping(pods_come_and_go(cluster, pods, each_waits=10))
    assert MINUTE / LONGEST_PAUSE_SECONDS < len(cluster.reads) <= 70 / FIRST_LOOK_SECONDS


def test_nothing_is_read_while_pods_begin_in_time() -> None:
    cluster = Cluster()
    run_skipping(pods_come_and_go(cluster, 200, each_waits=FIRST_LOOK_SECONDS - 0.1))
    assert cluster.reads == []


def test_nothing_is_read_when_nobody_waits_any_more() -> None:
    cluster = Cluster()

    async def story() -> None:
        waiter = cluster.pod_waits("uid-1")
        await asyncio.sleep(FIRST_LOOK_SECONDS + 0.1)
        waiter.leave()

    after(HOUR, story())
    assert len(cluster.reads) == 1


def test_a_read_that_takes_long_is_rare() -> None:
    cluster = Cluster(takes=2)
    run_skipping(pods_come_and_go(cluster, 600, each_waits=30))
    assert set(pauses(cluster.reads_of())) == {2 + 2 * TIMES_AS_LONG}


def test_the_pause_is_kept_when_nobody_waits_meanwhile() -> None:
    cluster = Cluster(takes=1)

    async def story() -> None:
        for number in range(4):
            waiter = cluster.pod_waits(f"uid-{number}")
            cluster.pod_waits("other", f"namespace-{number}").leave()
            await asyncio.sleep(FIRST_LOOK_SECONDS + 1.1)
            waiter.leave()

    run_skipping(story())
    assert len(cluster.reads) == 1


def test_two_namespaces_share_nothing() -> None:
    cluster = Cluster(takes=1, missing={"uid-2": "no secret"})

    async def story() -> None:
        cluster.pod_waits("uid-1", "shows")
        await asyncio.sleep(FIRST_LOOK_SECONDS + 0.1)
        cluster.pod_waits("uid-2", "films")

    after(FIRST_LOOK_SECONDS + 1.1, story())
    assert [namespace for namespace, _ in cluster.reads] == ["shows", "films"]
    assert [*cluster.found] == ["uid-2"]


def test_a_pod_that_comes_during_a_read_is_served_by_the_next() -> None:
    cluster = Cluster(takes=0.1, missing={"uid-1": "no secret", "uid-2": "no key"})

    async def story() -> None:
        cluster.pod_waits("uid-1")
        await asyncio.sleep(FIRST_LOOK_SECONDS + 0.05)
        cluster.pod_waits("uid-2")

    after(MINUTE, story())
    assert round(cluster.found["uid-2"] - cluster.found["uid-1"], 1) == FIRST_LOOK_SECONDS + 0.1


def test_a_pod_that_waits_long_is_read_ever_more_seldom_and_told_what_is_new() -> None:
    cluster = Cluster(missing={"uid-1": "no secret"})
    told: list[str] = []

    async def story() -> None:
        waiter = cluster.shared.join("shows", "uid-1", lambda: told.append(str(waiter.why)))
        await asyncio.sleep(50)
        cluster.missing["uid-1"] = "no key"
        await asyncio.sleep(5 * MINUTE)

    run_skipping(story())
    assert pauses(cluster.reads_of()) == [3, 6, 12, 24, 48, *[LONGEST_PAUSE_SECONDS] * 4]
    assert ["no secret" in told[0], "no key" in told[1]] == [True, True]
    assert len(told) == 2


def test_what_cannot_be_read_is_told_once_and_stops_no_other_namespace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    cluster = Cluster(
        errors={"secret": Unavailable("no right")}, missing={"uid-1": "no secret", "uid-2": "no"}
    )

    async def story() -> None:
        for number in range(200):
            cluster.pod_waits(f"uid-{number}", "secret")
        cluster.pod_waits("uid-1", "shows")
        await asyncio.sleep(5 * MINUTE)
        assert [*cluster.found] == ["uid-1"]
        cluster.errors.clear()
        await asyncio.sleep(MINUTE)

    with caplog.at_level(logging.WARNING):
        run_skipping(story())
    assert [record.getMessage() for record in caplog.records] == [
        "Pods in secret do not begin, and Events cannot be read: no right"
    ]
    assert [*cluster.found] == ["uid-1", "uid-2"]


def test_namespaces_without_pods_that_wait_are_forgotten() -> None:
    cluster = Cluster()

    async def story() -> None:
        waiter = cluster.pod_waits("uid-1", "short-lived")
        reader = weakref.ref(waiter.reader)
        waiter.leave()
        del waiter
        cluster.pod_waits("uid-2", "shows")
        gc.collect()
        assert reader() is None

    run_skipping(story())
