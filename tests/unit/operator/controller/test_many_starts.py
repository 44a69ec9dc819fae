"""Many jobs that are created at once: a few of them start at a time, and all of them are live."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from enso_operator.api.document import Document
from enso_operator.controller import start_queue
from enso_operator.controller.start_queue import MOST_OF_A_NAMESPACE
from enso_operator.kube.client import Forbidden, Refused
from enso_operator.kube.ensojob import EnsoJobObject
from job_execution_framework.service_layer.plan import Plan
from tests.support.in_memory_objects import InMemoryObjects
from tests.support.in_memory_operator import SHOT, Operator, operate
from tests.support.simulated_backend import SimulatedBackend, SimulatedSessions

MANY = 3 * MOST_OF_A_NAMESPACE


class Counted(SimulatedBackend):
    """Counts the sessions that are being opened, or not released yet, once it may open any."""

    most = opening = 0

    def __init__(self) -> None:
        super().__init__(waits_for_control=True)
        self.may_open = asyncio.Event()

    def sessions(self, ensojob: EnsoJobObject) -> SimulatedSessions:
        del ensojob
        sessions = CountedSessions(waits_for_control=self.waits_for_control)
        sessions.backend = self
        self.created.append(sessions)
        return sessions


class CountedSessions(SimulatedSessions):
    backend: Counted

    async def open(self, plan: Plan) -> str:
        self.backend.opening += 1
        self.backend.most = max(self.backend.most, self.backend.opening)
        await self.backend.may_open.wait()
        return await super().open(plan)

    async def release(self, run: str, uid: str) -> None:
        self.backend.opening -= 1
        await super().release(run, uid)


class Stuck(SimulatedBackend):
    """Opens no session until it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may_open = asyncio.Event()

    def sessions(self, ensojob: EnsoJobObject) -> SimulatedSessions:
        self.requested_uids.append(ensojob.uid)
        sessions = StuckSessions()
        sessions.may_open = self.may_open
        return sessions


class StuckSessions(SimulatedSessions):
    may_open: asyncio.Event

    async def open(self, plan: Plan) -> str:
        await self.may_open.wait()
        return await super().open(plan)


class Refusing(InMemoryObjects):
    """Lets nobody read."""

    def get(self, name: str) -> Document:
        raise Refused(name)


class RefusingStatus(InMemoryObjects):
    """Takes no status of some jobs, as a webhook might that somebody else made."""

    error: type[Refused] = Refused

    def patch_status(self, name: str, version: str, patch: Document) -> Document:
        if name.startswith("refused-"):
            raise self.error(f"no status of {name}")
        return super().patch_status(name, version, patch)


def create_many(operator: Operator, many: int = MANY, name: str = "shot") -> None:
    for number in range(many):
        metadata = {**SHOT["metadata"], "name": f"{name}-{number}"}
        operator.create({**SHOT, "metadata": metadata})


def all_run(operator: Operator) -> Callable[[], bool]:
    return lambda: len(operator.reconciler.actors) == MANY


def test_sessions_of_all_are_opened_a_few_at_a_time() -> None:
    backend = Counted()

    async def story(operator: Operator) -> None:
        create_many(operator)
        await operator.until(lambda: operator.reconciler.live == MANY)
        assert operator.reconciler.queued_starts > 0
        backend.may_open.set()
        await operator.until(all_run(operator))
        assert operator.reconciler.queued_starts == 0

    operate(story, Operator(backend=backend))
    assert 1 < backend.most <= MOST_OF_A_NAMESPACE


def test_a_job_that_is_deleted_before_its_turn_is_not_started() -> None:
    backend = Stuck()

    async def story(operator: Operator) -> None:
        create_many(operator)
        await operator.until(lambda: operator.reconciler.live == MANY)
        uid = operator.create().uid
        await operator.until(lambda: operator.reconciler.live == MANY + 1)
        operator.delete()
        await operator.until(lambda: operator.reconciler.live == MANY)
        assert uid not in operator.reconciler.known
        backend.may_open.set()
        await operator.until(lambda: operator.reconciler.live == 0)
        assert uid not in backend.requested_uids

    operate(story, Operator(backend=backend))
    assert len(backend.requested_uids) == MANY


def test_whoever_acts_on_a_job_does_not_wait_for_its_turn() -> None:
    backend = Stuck()

    async def story(operator: Operator) -> None:
        create_many(operator)
        operator.create()
        operator.create_action("cancel")
        await operator.until(lambda: operator.get().is_finished)
        assert operator.reconciler.queued_starts == MANY - MOST_OF_A_NAMESPACE
        backend.may_open.set()

    operator = operate(story, Operator(backend=backend))
    assert operator.get().state == "Cancelled"


def test_a_job_waits_for_its_turn_though_an_older_version_cannot_be_read() -> None:
    backend = Stuck()

    async def story(operator: Operator) -> None:
        create_many(operator)
        await operator.until(lambda: operator.reconciler.live == MANY)
        old = operator.create()
        await operator.until(lambda: operator.reconciler.live == MANY + 1)
        operator.patch(ttlSecondsAfterFinished=60)
        newest = int(operator.get().version)
        await operator.until(lambda: operator.reconciler.known[old.uid] == newest)
        refused = Refusing(operator.cluster, "shows")
        operator.reconciler.objects = lambda _namespace: refused
        await operator.reconciler._wake(old.reference)  # pyright: ignore[reportPrivateUsage]
        backend.may_open.set()
        await operator.until(lambda: old.uid in backend.requested_uids)

    operate(story, Operator(backend=backend))


def test_jobs_whose_status_is_refused_hold_up_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start_queue, "LONGEST_SECONDS", 3600.0)

    async def story(operator: Operator) -> None:
        operator.jobs = RefusingStatus(operator.cluster, "shows")
        create_many(operator, MOST_OF_A_NAMESPACE, "refused")
        await operator.until(lambda: len(operator.reconciler.actors) == MOST_OF_A_NAMESPACE)
        create_many(operator, 3)
        await operator.until(lambda: all(operator.get(f"shot-{n}").is_finished for n in range(3)))
        assert not operator.get("refused-0").is_observed
        assert operator.reconciler.queued_starts == 0

    operator = operate(story)
    assert operator.events.reasons()["NotGoingOn"] == MOST_OF_A_NAMESPACE


def test_where_no_status_may_be_written_the_others_wait() -> None:
    async def story(operator: Operator) -> None:
        operator.jobs = RefusingStatus(operator.cluster, "shows")
        operator.jobs.error = Forbidden
        create_many(operator, MOST_OF_A_NAMESPACE + 3, "refused")
        told = operator.events.reasons
        await operator.until(lambda: told()["NotGoingOn"] == MOST_OF_A_NAMESPACE)
        assert len(operator.reconciler.actors) == MOST_OF_A_NAMESPACE
        assert operator.reconciler.queued_starts == 3

    operate(story)
