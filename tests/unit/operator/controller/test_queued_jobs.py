"""Jobs that wait for their turn in a queue rest without an actor, and lose nothing by that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from enso_operator.coordinator.turns import Queued
from enso_operator.kube.ensojob import EnsoJobObject
from job_execution_framework.domain.cause import Reason
from job_execution_framework.service_layer.plan import Plan
from tests.support.in_memory_operator import SHOT, Operator, operate
from tests.support.resources import of_scripts
from tests.support.simulated_backend import SimulatedBackend, SimulatedSessions

WHY = "exceeded quota: compute"


@dataclass
class QueuedTurn:
    """Implements `turns.Turn`."""

    is_far: bool = True
    has_come: bool = False
    is_left: bool = False
    call: Callable[[], None] | None = None

    def when_it_comes(self, call: Callable[[], None]) -> None:
        self.call = call
        if self.has_come:
            call()

    def come(self) -> None:
        self.has_come = True
        assert self.call
        self.call()

    def leave(self) -> None:
        self.is_left = True


@dataclass
class Full(SimulatedBackend):
    """Sessions are opened when they have their turn."""

    turns: list[QueuedTurn] = field(default_factory=list[QueuedTurn])
    is_far: bool = True

    def sessions(self, ensojob: EnsoJobObject) -> SimulatedSessions:
        del ensojob
        sessions = QueuedSessions()
        sessions.backend = self
        return sessions


class QueuedSessions(SimulatedSessions):
    backend: Full

    async def open(self, plan: Plan) -> str:
        turns = self.backend.turns
        if turns and turns[-1].has_come:
            return await super().open(plan)
        turns.append(QueuedTurn(self.backend.is_far))
        raise Queued(WHY, Reason.FAILED_CREATE, turns[-1])


async def rests(operator: Operator) -> None:
    """Return when the job waits, and has no actor."""
    reconciler = operator.reconciler
    await operator.until(lambda: operator.get().raw_status.get("reason") == Reason.FAILED_CREATE)
    await operator.until(lambda: not reconciler.actors and reconciler.live == 1)


def test_a_job_that_rests_goes_on_when_its_turn_comes() -> None:
    backend = Full()

    async def story(operator: Operator) -> None:
        operator.create()
        await rests(operator)
        ((cause, seconds),) = operator.reconciler.waits()
        assert (cause.message, seconds >= 0) == (WHY, True)
        version = operator.get().version
        assert len(backend.turns) == 1
        backend.turns[0].come()
        await operator.until_finished()
        assert int(operator.get().version) > int(version)
        assert not [*operator.reconciler.waits()]

    operate(story, Operator(backend=backend))
    assert len(backend.turns) == 1, "it was opened at its turn"


def test_a_job_that_asks_soon_keeps_its_actor() -> None:
    backend = Full(is_far=False)

    async def story(operator: Operator) -> None:
        operator.create()
        await operator.until(
            lambda: operator.get().raw_status.get("reason") == Reason.FAILED_CREATE
        )
        assert operator.reconciler.actors
        backend.turns[0].come()
        await operator.until_finished()

    operate(story, Operator(backend=backend))


def test_whatever_wakes_it_does_not_make_it_ask_again_or_write() -> None:
    backend = Full()

    async def story(operator: Operator) -> None:
        job = operator.create()
        await rests(operator)
        before = operator.get()
        operator.reconciler.on_event(
            None, before.document | {"metadata": before.document["metadata"] | {"labels": {}}}
        )
        operator.patch(ttlSecondsAfterFinished=3600)
        await operator.until(lambda: operator.get().is_observed)
        await rests(operator)
        assert [turn.is_left for turn in backend.turns] == [False]
        assert operator.get().uid == job.uid
        backend.turns[0].come()
        await operator.until_finished()

    operate(story, Operator(backend=backend))


def test_a_job_that_is_suspended_or_deleted_meanwhile_gives_up_its_turn() -> None:
    backend = Full()

    async def story(operator: Operator) -> None:
        operator.create()
        await rests(operator)
        operator.patch(suspend=True)
        await operator.until(lambda: backend.turns[0].is_left)
        operator.patch(suspend=False)
        await operator.until(lambda: len(backend.turns) == 2)
        await rests(operator)
        operator.delete()
        await operator.until(lambda: backend.turns[1].is_left)

    operate(story, Operator(backend=backend))


def test_a_deadline_passes_while_it_rests() -> None:
    backend = Full()

    async def story(operator: Operator) -> None:
        operator.create(of_scripts({}, activeDeadlineSeconds=6) | {"metadata": SHOT["metadata"]})
        await rests(operator)
        await operator.until_finished()
        card = "".join(operator.get().raw_status["why"])
        assert f"it waited: FailedCreate: {WHY}" in card

    operate(story, Operator(backend=backend))
    assert backend.turns[-1].is_left
