"""What a job's status says that it waits for was told before: no later operator tells it again."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace

import pytest

from enso_operator.api.document import Document
from enso_operator.coordinator.session_location import NOWHERE
from enso_operator.kube.ensojob import EnsoJobObject
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.errors import NotYet, Unavailable
from job_execution_framework.service_layer.observations import Observations
from job_execution_framework.service_layer.plan import Plan
from tests.support.in_memory_objects import InMemoryObjects
from tests.support.in_memory_operator import SHOT, Operator, operate
from tests.support.sessions import SimulatedSession
from tests.support.simulated_backend import SimulatedBackend, SimulatedSessions

NO_ROOM = "exceeded quota: compute, used: pods=1, limited: pods=1"
NO_NODE = Cause(Reason.UNSCHEDULABLE, "0/3 nodes are available")
Story = Callable[[Operator], Awaitable[None]]


class Sparse(SimulatedBackend):
    """A place without room for a Pod, or without a node for it; sessions outlive an operator."""

    def __init__(self, full: str = "", waits: Cause | None = None) -> None:
        super().__init__(waits_for_control=True)
        self.full, self.waits, self.tries = full, waits, 0
        self.runs: dict[str, SimulatedSession] = {}

    def sessions(self, ensojob: EnsoJobObject) -> SimulatedSessions:
        del ensojob
        sessions = SparseSessions(waits_for_control=True)
        sessions.backend, sessions.runs = self, self.runs
        self.created.append(sessions)
        return sessions


class SparseSessions(SimulatedSessions):
    backend: Sparse

    async def open(self, plan: Plan) -> str:
        self.backend.tries += 1
        if self.backend.full:
            raise NotYet(self.backend.full, Reason.FAILED_CREATE)
        return await super().open(plan)

    async def follow(self, run: str, uid: str, after: int = 0) -> AsyncGenerator[Observations]:
        self.location = replace(NOWHERE, pod="shot-main-1", waits=self.backend.waits)
        yield Observations(run=run)  # it was looked at
        async for observations in super().follow(run, uid, after):
            yield observations


def says(operator: Operator) -> str:
    message = operator.get().condition("Succeeded").get("message", "")
    return str(message)


def until_it_says(words: str) -> Story:
    async def story(operator: Operator) -> None:
        await operator.until(lambda: words in says(operator))

    return story


def waits(backend: Sparse, words: str) -> Operator:
    """Return an operator whose job waits, and says so, and that has stopped."""

    async def story(operator: Operator) -> None:
        operator.create()
        await until_it_says(words)(operator)

    operator = operate(story, Operator(backend=backend))
    assert operator.events.reasons()["NotGoingOn"] == 1
    return operator


def comes_again(first: Operator, backend: Sparse, story: Story) -> Operator:
    """Run a story with another operator beside the same jobs."""

    async def beside(operator: Operator) -> None:
        operator.reconciler.on_event(None, operator.get().document)
        await story(operator)

    return operate(beside, Operator(cluster=first.cluster, backend=backend))


@pytest.mark.parametrize("now", [NO_ROOM, NO_ROOM.replace("=1", "=2")])
def test_a_job_that_waits_for_room_is_told_of_once(now: str) -> None:
    first = waits(Sparse(NO_ROOM), NO_ROOM)
    version, backend = first.get().version, Sparse(now)

    async def story(operator: Operator) -> None:
        await operator.until(lambda: backend.tries > 1)

    later = comes_again(first, backend, story)
    assert (later.events.attempts, later.get().version) == (0, version)


def test_other_words_are_news() -> None:
    first = waits(Sparse(NO_ROOM), NO_ROOM)
    gone = "namespace shows is being terminated"
    later = comes_again(first, Sparse(gone), until_it_says(gone))
    assert later.events.reasons() == {"NotGoingOn": 1}


def test_a_job_that_waits_for_a_node_is_told_of_once() -> None:
    backend = Sparse(waits=NO_NODE)
    first = waits(backend, str(NO_NODE))
    version, backend.waits = (
        first.get().version,
        replace(NO_NODE, message="0/4 nodes are available"),
    )
    versions = list[str]()

    async def story(operator: Operator) -> None:
        await operator.until(lambda: backend.created[-1].location.waits)
        versions.append(operator.get().version)
        operator.patch(suspend=True)
        await operator.until(lambda: operator.get().is_observed)

    later = comes_again(first, backend, story)
    assert versions == [version]
    assert later.events.reasons()["NotGoingOn"] == 0


def test_a_wait_that_is_over_is_not_in_the_status_any_more() -> None:
    backend = Sparse(waits=NO_NODE)
    first = waits(backend, str(NO_NODE))
    backend.waits = None
    later = comes_again(first, backend, until_it_says("0 of 2 scripts are done"))
    assert later.events.attempts == 0


def test_no_status_says_what_nobody_was_told() -> None:
    backend = Sparse(NO_ROOM)

    async def story(operator: Operator) -> None:
        await operator.waits_suspended()
        operator.events.is_unavailable = True
        operator.patch(suspend=False)
        before = operator.events.attempts
        await operator.until(lambda: operator.events.attempts > before + 3)
        assert NO_ROOM not in says(operator)
        operator.events.is_unavailable = False
        await operator.until(lambda: NO_ROOM in says(operator))
        assert operator.events.reasons()["NotGoingOn"] == 1

    operate(story, Operator(backend=backend))


OF_A_TEMPLATE = SHOT | {"spec": {"templateRef": {"name": "publish"}}}


def test_no_status_says_that_a_template_is_missing_before_people_were_told() -> None:
    why = "there is no EnsoJobTemplate publish"

    async def story(operator: Operator) -> None:
        operator.events.is_unavailable = True
        operator.create(OF_A_TEMPLATE)
        await operator.until(lambda: operator.events.attempts > 1)
        assert why not in says(operator)
        operator.events.is_unavailable = False
        await until_it_says(why)(operator)
        assert operator.events.reasons()["NotGoingOn"] == 1

    operate(story)


def test_whoever_told_of_a_missing_template_and_wrote_nothing_leaves_nothing_to_tell() -> None:
    why = "there is no EnsoJobTemplate publish"

    class WritesNothing(InMemoryObjects):
        def patch_status(self, name: str, version: str, patch: Document) -> Document:
            raise Unavailable(f"no status of {name} {version}: {patch}")

    async def story(operator: Operator) -> None:
        operator.jobs = WritesNothing(operator.cluster, "shows")
        operator.create(OF_A_TEMPLATE)
        await operator.until(lambda: operator.events.reasons()["NotGoingOn"])
        assert why not in says(operator)

    first = operate(story)
    later = Operator(cluster=first.cluster, events=first.events)

    async def beside(operator: Operator) -> None:
        operator.reconciler.on_event(None, operator.get().document)
        await until_it_says(why)(operator)

    operate(beside, later)
    assert later.events.reasons() == {"NotGoingOn": 1}


def test_a_missing_template_is_told_of_once() -> None:
    backend, why = Sparse(), "there is no EnsoJobTemplate publish"

    async def story(operator: Operator) -> None:
        operator.create(OF_A_TEMPLATE)
        await operator.until(lambda: operator.events.attempts and why in says(operator))

    first = operate(story, Operator(backend=backend))
    version = first.get().version
    later = comes_again(first, backend, Operator.until_idle)
    assert (later.events.attempts, later.get().version) == (0, version)
