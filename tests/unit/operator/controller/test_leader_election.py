"""Of several operators one works: who holds the lease, by each one's own clock.

Time is a number here. Whoever sleeps is woken when it has come, the earliest first, and never
before everybody has done what there was to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Self

import pytest

from enso_operator.controller import leader_election
from enso_operator.controller.leader_election import Alone, Leadership
from enso_operator.kube.client import Forbidden, NoSuchObject
from job_execution_framework.domain.errors import Conflict, EnsoError, Unavailable

pytestmark = pytest.mark.anyio
Document = dict[str, Any]


@dataclass
class Sleeper:
    until: float
    woken: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Time:
    """One second is as long as the test says."""

    seconds: float = 1000.0
    sleepers: list[Sleeper] = field(default_factory=list["Sleeper"])

    def now(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        sleeper = Sleeper(self.seconds + seconds)
        self.sleepers.append(sleeper)
        await sleeper.woken.wait()

    async def passes(self, seconds: float) -> None:
        """Let time pass, and everybody do what is due by then."""
        end = self.seconds + seconds
        await settled()
        while due := [sleeper for sleeper in self.sleepers if sleeper.until <= end]:
            sleeper = min(due, key=lambda sleeper: sleeper.until)
            self.sleepers.remove(sleeper)
            self.seconds = max(self.seconds, sleeper.until)
            sleeper.woken.set()
            await settled()
        self.seconds = end


async def settled() -> None:
    """Return when nobody has anything to do but to sleep."""
    for _ in range(30):
        await asyncio.sleep(0)


@dataclass
class Shared:
    """The lease in the API server. `fault` is what happens to the next calls."""

    document: Document | None = None
    version: int = 0
    fault: Callable[[], None] = lambda: None
    writes: int = 0

    def read(self) -> Document | None:
        self.fault()
        return deepcopy(self.document)

    def create(self, spec: Document) -> Document:
        self.fault()
        if self.document:
            raise Conflict("it is there")
        return self._written({"spec": spec})

    def replace(self, document: Document) -> Document:
        self.fault()
        if self.document is None:
            raise NoSuchObject("it is gone")
        if document["metadata"] != self.document["metadata"]:
            raise Conflict("it was changed")
        return self._written(document)

    @property
    def spec(self) -> Document:
        assert self.document
        spec: Document = self.document["spec"]
        return spec

    def touched(self) -> None:
        """Change a label, as another client may do."""
        assert self.document
        self._written(self.document)

    def _written(self, document: Document) -> Document:
        self.version += 1
        self.writes += 1
        self.document = deepcopy(document) | {"metadata": {"resourceVersion": str(self.version)}}
        return deepcopy(self.document)


def failing(error: EnsoError) -> Callable[[], None]:
    def fault() -> None:
        raise error

    return fault


AWAY = failing(Unavailable("the API server did not answer"))


@dataclass
class Candidate:
    """An operator: its work, and what it reports about itself."""

    name: str
    lease: Shared
    time: Time
    works: bool = False
    began: int = 0
    gauge: list[bool] = field(default_factory=list[bool])

    def __post_init__(self) -> None:
        self.leadership = Leadership(
            self.lease, self.name, self.gauge.append, self.time.now, self.time.sleep
        )

    async def work(self) -> None:
        self.works, self.began = True, self.began + 1
        try:
            await asyncio.Event().wait()
        finally:
            self.works = False

    async def __aenter__(self) -> Self:
        self.task = asyncio.create_task(self.leadership.run(self.work))
        await settled()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stops()

    async def stops(self) -> None:
        self.task.cancel()
        await asyncio.wait([self.task])


@pytest.fixture(autouse=True)
def no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(call: Callable[..., object], *args: object) -> object:
        await asyncio.sleep(0)
        return call(*args)

    monkeypatch.setattr("asyncio.to_thread", at_once)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def lease() -> Shared:
    return Shared()


@pytest.fixture
def a(lease: Shared, time: Time) -> Candidate:
    return Candidate("a", lease, time)


@pytest.fixture
def b(lease: Shared, time: Time) -> Candidate:
    return Candidate("b", lease, time)


async def test_the_first_one_works_and_the_second_one_stands_by(
    a: Candidate, b: Candidate, lease: Shared, time: Time
) -> None:
    async with a, b:
        await time.passes(3600)
        assert (a.works, a.began, b.began) == (True, 1, 0)
        assert (a.gauge, b.gauge) == ([True], [])
        assert lease.spec["holderIdentity"] == "a"
        assert lease.spec["leaseTransitions"] == 1
        assert a.leadership.is_away() is None
        assert b.leadership.is_away() is None


async def test_an_operator_that_stops_releases_the_lease_and_the_next_one_takes_it_within_a_second(
    a: Candidate, b: Candidate, lease: Shared, time: Time
) -> None:
    async with a, b:
        await time.passes(10.5)
        await a.stops()
        assert not a.works
        assert lease.spec["holderIdentity"] is None
        await time.passes(1)
        assert b.works
        assert lease.spec["leaseTransitions"] == 2


async def test_an_operator_that_crashes_is_replaced_within_twenty_seconds_but_not_too_early(
    a: Candidate, b: Candidate, time: Time
) -> None:
    async with a, b:
        await time.passes(11.9)
        a.lease = a.leadership.lease = Shared(fault=AWAY)  # what it did last was to renew
        await time.passes(leader_election.LEASE_SECONDS - leader_election.RENEW_SECONDS)
        assert not b.works
        await time.passes(20 - (leader_election.LEASE_SECONDS - leader_election.RENEW_SECONDS))
        assert b.works


async def test_a_leader_that_cannot_renew_stops_before_others_may_begin(
    a: Candidate, b: Candidate, lease: Shared, time: Time
) -> None:
    async with a:
        await time.passes(7)
        lease.fault = AWAY
        async with b:
            await time.passes(8)
            assert a.works
            await time.passes(2.5)
            assert (a.works, a.gauge) == (False, [True, False])
            assert a.leadership.is_away() == f"the lease {lease}: the API server did not answer"
            assert not b.works
            lease.fault = lambda: None
            await time.passes(20)
            assert a.works != b.works
            assert a.leadership.is_away() is None


async def test_a_moment_without_the_api_server_changes_nothing(
    a: Candidate, lease: Shared, time: Time
) -> None:
    async with a:
        for _ in range(5):
            lease.fault = AWAY
            await time.passes(6)
            lease.fault = lambda: None
            await time.passes(3)
        assert (a.works, a.began) == (True, 1)


async def test_an_operator_that_wakes_up_after_its_lease_has_expired_stops_at_once(
    a: Candidate, b: Candidate, time: Time
) -> None:
    async with a:
        await time.passes(5)
        asleep, time.sleepers = time.sleepers, []  # as SIGSTOP does
        async with b:
            await time.passes(16)
            assert b.works
            time.sleepers += asleep
            await time.passes(0)
            assert not a.works
            await time.passes(60)
            assert (a.works, b.works, a.began) == (False, True, 1)


async def test_a_lease_that_somebody_else_has_taken_is_not_renewed(
    a: Candidate, lease: Shared, time: Time
) -> None:
    async with a:
        await time.passes(5)
        lease.spec["holderIdentity"] = "x"
        lease.touched()
        before = lease.writes
        await time.passes(3)
        assert (a.works, lease.writes) == (False, before)
        await time.passes(leader_election.LEASE_SECONDS)
        assert (a.works, lease.spec["leaseTransitions"]) == (True, 2)


async def test_a_lease_that_somebody_else_has_written_a_label_into_is_still_ours(
    a: Candidate, lease: Shared, time: Time
) -> None:
    async with a:
        for _ in range(9):
            await time.passes(1.5)
            lease.touched()
        await time.passes(1.5)
        assert a.began == 1
        await a.stops()
        assert lease.spec["holderIdentity"] is None


async def test_a_lease_that_was_deleted_is_made_anew(
    a: Candidate, b: Candidate, lease: Shared, time: Time
) -> None:
    async with a, b:
        await time.passes(5)
        lease.document = None
        await time.passes(5)
        assert a.works != b.works


async def test_a_write_that_came_although_its_answer_did_not_is_ours(
    a: Candidate, lease: Shared, time: Time
) -> None:
    def written_and_lost() -> None:
        lease.fault = lambda: None
        lease.create({"holderIdentity": "a", "leaseDurationSeconds": 15})
        raise Unavailable("the connection was cut")

    lease.fault = written_and_lost
    async with a:
        await time.passes(leader_election.LOOK_SECONDS)
        assert a.works


async def test_an_operator_without_the_right_to_a_lease_says_so_and_stands_by(
    a: Candidate, lease: Shared, time: Time
) -> None:
    assert a.leadership.is_away() == f"the lease {lease}: it was not looked at yet"
    lease.fault = failing(Forbidden("the API server does not let us (403): no leases for you"))
    async with a:
        await time.passes(60)
        assert not a.began
        assert "no leases for you" in (a.leadership.is_away() or "")


async def test_a_request_that_hangs_does_not_keep_a_leader_working(
    a: Candidate, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leader_election, "ANSWER_SECONDS", 0.01)
    async with a:
        await time.passes(1)

        async def hangs(*_: object) -> None:
            await asyncio.Event().wait()

        monkeypatch.setattr("asyncio.to_thread", hangs)
        for _ in range(40):
            await time.passes(0.5)
            await asyncio.sleep(0.02)
        assert not a.works
        assert "did not answer" in (a.leadership.is_away() or "")


async def test_work_that_breaks_breaks_the_operator_and_frees_the_lease(
    lease: Shared, time: Time
) -> None:
    async def work() -> None:
        await time.sleep(3)
        raise ZeroDivisionError

    gauge: list[bool] = []
    run = Leadership(lease, "a", gauge.append, time.now, time.sleep).run(work)
    task = asyncio.create_task(run)
    await time.passes(4)
    with pytest.raises(ZeroDivisionError):
        await task
    assert lease.spec["holderIdentity"] is None
    assert gauge == [True, False]


async def test_without_a_lease_one_works_always() -> None:
    gauge: list[bool] = []

    async def work() -> None:
        assert gauge == [True]

    alone = Alone(gauge.append)
    await alone.run(work)
    assert alone.is_away() is None
