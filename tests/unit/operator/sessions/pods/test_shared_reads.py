"""Pods that wait for volumes, or have ended: how often Events of their namespace are read."""

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

from enso_operator.kube.client import Refused
from enso_operator.sessions.pods.pod_warnings import Warned
from enso_operator.sessions.pods.shared_reads import (
    FOR_A_VOLUME,
    FOR_AN_END,
    Pace,
    SharedReads,
    Waiter,
)
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.errors import Unavailable
from tests.support.skipping_loop import run_skipping

MINUTE, HOUR = 60.0, 3600.0
FIRST_LOOK_SECONDS, TIMES_AS_LONG = FOR_A_VOLUME.first_look, FOR_A_VOLUME.times_as_long
LONGEST_PAUSE_SECONDS = FOR_A_VOLUME.longest_pause
PAUSES_UNTIL_LONGEST = 5
"""Of 3, 3, 6, 12, 24 and 48 s."""


@dataclass
class Cluster:
    """Namespaces whose Events can be read."""

    takes: float = 0.0
    """Seconds that a read takes."""
    errors: dict[str, Exception] = field(default_factory=dict[str, Exception])
    """By namespace."""
    missing: dict[str, str] = field(default_factory=dict[str, str])
    """What its Events say of a Pod."""
    reads: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])
    """Each read's namespace, and when it was."""
    found: dict[str, float] = field(default_factory=dict[str, float])
    """When a Pod had its answer."""

    def __post_init__(self) -> None:
        self.shared = SharedReads(self.read)

    async def read(self, namespace: str, uids: Collection[str]) -> dict[str, Warned]:
        self.reads.append((namespace, round(asyncio.get_running_loop().time(), 1)))
        await asyncio.sleep(self.takes)
        if namespace in self.errors:
            raise self.errors[namespace]
        return {
            uid: Warned(volume=("FailedMount", Cause(Reason.CONFIG_ERROR, said)))
            for uid, said in self.missing.items()
            if uid in uids
        }

    def pod_waits(self, uid: str, namespace: str = "shows", pace: Pace = FOR_A_VOLUME) -> Waiter:
        def has_its_answer() -> None:
            if waiter.warned.volume or pace is FOR_AN_END:
                self.found.setdefault(uid, asyncio.get_running_loop().time())

        waiter = self.shared.join(namespace, uid, pace, has_its_answer)
        return waiter

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
        def tell() -> None:
            told.append(str(waiter.warned.volume))

        waiter = cluster.shared.join("shows", "uid-1", FOR_A_VOLUME, tell)
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
        "Events of Pods in secret cannot be read: no right"
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


# Of Pods that have ended.


async def pods_end(cluster: Cluster, pods: int, within: float, pace: Pace = FOR_AN_END) -> None:
    """Have so many Pods end, one after the other; each waits until Events were read."""

    async def ends(number: int) -> None:
        await asyncio.sleep(number * within / pods)
        is_known = asyncio.Event()
        waiter = cluster.shared.join("shows", f"uid-{number}", pace, is_known.set)
        await is_known.wait()
        waiter.leave()
        cluster.found[waiter.uid] = asyncio.get_running_loop().time()

    await asyncio.gather(*(ends(number) for number in range(pods)))


def test_one_read_serves_all_pods_that_end_at_once() -> None:
    cluster = Cluster(takes=0.2)
    run_skipping(pods_end(cluster, 200, within=0))
    assert cluster.reads == [("shows", 0.0)]
    assert len(cluster.found) == 200


@pytest.mark.parametrize(("takes", "most"), [(0.01, 7), (0.2, 4), (2, 2)])
def test_pods_that_end_within_seconds_share_a_handful_of_reads(takes: float, most: int) -> None:
    cluster = Cluster(takes=takes)
    run_skipping(pods_end(cluster, 200, within=3))
    assert 2 <= len(cluster.reads) <= most
    assert len(cluster.found) == 200


def test_an_end_waits_for_no_pause_where_none_came_just_before() -> None:
    cluster = Cluster(takes=0.01)
    run_skipping(pods_end(cluster, 5, within=10))
    assert cluster.reads_of() == [0, 2, 4, 6, 8]
    assert [round(at, 2) for at in cluster.found.values()] == [0.01, 2.01, 4.01, 6.01, 8.01]


def test_what_ends_is_asked_of_a_read_that_began_later() -> None:
    cluster = Cluster(takes=1)
    run_skipping(pods_end(cluster, 2, within=1))
    assert cluster.reads_of() == [0.0, 5.0]


def test_the_read_for_an_end_serves_what_waits_for_a_volume() -> None:
    cluster = Cluster(missing={"uid-1": "no secret"})

    async def story() -> None:
        cluster.pod_waits("uid-1")
        cluster.pod_waits("uid-2", pace=FOR_AN_END).leave()
        await asyncio.sleep(1)
        assert cluster.reads == []  # it has left before
        waiter = cluster.pod_waits("uid-2", pace=FOR_AN_END)
        await asyncio.sleep(0.1)
        waiter.leave()
        await asyncio.sleep(1)

    run_skipping(story())
    assert cluster.reads_of() == [1.0]
    assert [*cluster.found] == ["uid-1", "uid-2"]


def test_an_end_is_waited_for_while_events_cannot_be_read_but_not_where_they_may_not_be() -> None:
    away = Cluster(errors={"shows": Unavailable("503")})

    async def story() -> None:
        cluster = Cluster(errors={"shows": Refused("no right")})
        await pods_end(cluster, 1, within=0)
        waiter = away.pod_waits("uid-1", pace=FOR_AN_END)
        await asyncio.sleep(MINUTE)
        assert not waiter.is_served
        away.errors.clear()
        await asyncio.sleep(MINUTE)
        assert waiter.is_served

    run_skipping(story())
    assert len(away.reads) <= 3 * MINUTE


@pytest.mark.parametrize("takes", [0, 10])
@pytest.mark.parametrize("away", [30, 60, 300])
def test_an_end_is_told_soon_after_the_api_server_is_back(away: float, takes: float) -> None:
    cluster = Cluster(takes=takes, errors={"shows": Unavailable("it did not answer")})

    async def story() -> None:
        waiter = cluster.pod_waits("uid-1", pace=FOR_AN_END)
        await asyncio.sleep(away)
        cluster.takes = 0.0
        cluster.errors.clear()
        await asyncio.sleep(takes + FOR_AN_END.longest_pause)
        assert waiter.is_served

    run_skipping(story())


def test_whatever_breaks_a_read_there_is_another_one(caplog: pytest.LogCaptureFixture) -> None:
    cluster = Cluster(errors={"shows": KeyError("metadata")})

    async def story() -> None:
        waiter = cluster.pod_waits("uid-1", pace=FOR_AN_END)
        await asyncio.sleep(1)
        cluster.errors.clear()
        await asyncio.sleep(FOR_AN_END.longest_pause)
        assert waiter.is_served

    run_skipping(story())
    assert "cannot be read" in caplog.text
