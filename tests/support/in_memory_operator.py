"""An operator with an API server in memory and simulated sessions, for tests of `controller`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from enso_operator.api.document import Document
from enso_operator.controller.action_dispatcher import ActionDispatcher
from enso_operator.controller.action_processor import ActionProcessor
from enso_operator.controller.ensojob_actor import EnsoJobActor
from enso_operator.controller.event_publisher import EventPublisher
from enso_operator.controller.pending_actions import PendingActions
from enso_operator.controller.planner import EnsoJobPlanner
from enso_operator.controller.reconciler import Reconciler
from enso_operator.coordinator.progress_budget import ProgressBudget
from enso_operator.coordinator.sessions import Sessions
from enso_operator.kube.ensoaction import ACTIONS, EnsoActionObject
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.kube.unit_of_work import KubernetesJobUnitOfWork
from enso_operator.observability.metrics import Metrics
from job_execution_framework.service_layer.clock import SystemClock
from job_execution_framework.service_layer.library import Library, ScriptLibrary
from tests.support.eventually import DEADLINE_SECONDS
from tests.support.in_memory_objects import InMemoryCluster
from tests.support.kept_events import KeptEvents
from tests.support.resources import action, of_scripts
from tests.support.simulated_backend import SimulatedBackend

SHOT = of_scripts({}, {})


@dataclass
class Operator:
    """A reconciler and a dispatcher; a watch sends them every change of the objects."""

    cluster: InMemoryCluster = field(default_factory=InMemoryCluster)
    backend: SimulatedBackend = field(default_factory=SimulatedBackend)
    events: KeptEvents = field(default_factory=KeptEvents)
    failures: list[Exception] = field(default_factory=list[Exception])
    """The errors that the next actors raise, one after the other."""
    library: Library = field(default_factory=lambda: ScriptLibrary([]))

    def __post_init__(self) -> None:
        self.metrics, self.clock = Metrics(), SystemClock()
        self.jobs = self.cluster.objects("shows")
        self.actions = self.jobs.beside(ACTIONS)
        self.action_cluster = self.actions.cluster
        self.pending, self.progress_budget = PendingActions(), ProgressBudget()
        self.reconciler = Reconciler(
            self.cluster.objects,
            self.backend,
            self.actor,
            self.clock,
            self.metrics,
            self.pending,
        )
        self.dispatcher = ActionDispatcher(self.pending, self.reconciler, self.clock)

    def start_watch(self) -> None:
        """Send changes to the operator from now on; any thread may change objects."""
        loop = asyncio.get_running_loop()

        def show(kind: str, document: Document) -> None:
            loop.call_soon_threadsafe(self.reconciler.on_event, kind, document)

        def show_action(kind: str, document: Document) -> None:
            loop.call_soon_threadsafe(self.pending.on_event, kind, document)

        self.cluster.watch, self.action_cluster.watch = show, show_action

    def actor(self, ensojob: EnsoJobObject, sessions: Sessions) -> EnsoJobActor:
        actor = EnsoJobActor(
            job_uow=KubernetesJobUnitOfWork(self.jobs),
            sessions=sessions,
            planner=EnsoJobPlanner(self.library, sessions, self.clock),
            clock=self.clock,
            publisher=EventPublisher(
                ensojob, self.events, self.metrics, self.clock, lambda _job, _events: None
            ),
            action_processor=ActionProcessor(
                ensojob.key, self.pending, self.jobs, self.clock, library=self.library
            ),
            progress_budget=self.progress_budget,
        )
        if self.failures:
            error = self.failures.pop(0)

            async def drive() -> None:
                raise error

            actor.drive = drive  # type: ignore[method-assign]
        return actor

    def create(self, document: Document = SHOT) -> EnsoJobObject:
        return EnsoJobObject(self.jobs.create(document))

    async def fails(self) -> None:
        """Create a job whose second script fails, once; return when nothing is done for it."""
        self.backend.failing = {"script-1"}
        self.create()
        await self.until_finished()
        self.backend.failing = set()

    async def waits_suspended(self, document: Document = SHOT) -> None:
        """Create the job, suspended; return when nothing is done for it."""
        self.create(document | {"spec": document["spec"] | {"suspend": True}})
        await self.until(lambda: self.get().is_observed)
        await self.until_idle()

    def get(self, name: str = "shot") -> EnsoJobObject:
        return EnsoJobObject(self.jobs.get(name))

    def patch(self, **spec: object) -> EnsoJobObject:
        return EnsoJobObject(self.jobs.patch("shot", self.get().version, spec))

    def create_action(self, verb: str, name: str = "again", **spec: object) -> EnsoActionObject:
        return EnsoActionObject(self.actions.create(action(verb, name, **spec)))

    def result(self, name: str = "again") -> tuple[str, str]:
        """Return the reason and message of an action's status; empty until it is decided."""
        succeeded = EnsoActionObject(self.actions.get(name)).condition("Succeeded")
        return (succeeded["reason"], succeeded["message"]) if succeeded else ("", "")

    def delete(self) -> None:
        self.jobs.delete("shot", self.get().uid, self.get().version)

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until the condition holds; the deadline only ends a test that hangs."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not condition():  # noqa: ASYNC110  # it changes in another thread
                await asyncio.sleep(0.005)

    async def until_finished(self) -> None:
        """Wait until the job has ended, and nothing is done for it any more."""
        await self.until(lambda: self.get().is_finished)
        await self.until_idle()

    async def until_idle(self) -> None:
        await self.until(lambda: not self.reconciler._tasks)  # pyright: ignore[reportPrivateUsage]


def operate(
    scenario: Callable[[Operator], Awaitable[None]], operator: Operator | None = None
) -> Operator:
    """Run a scenario with an operator to its end."""

    async def run(operator: Operator) -> Operator:
        operator.start_watch()
        try:
            await scenario(operator)
        finally:
            await operator.reconciler.stop(30)
        return operator

    return asyncio.run(run(operator or Operator()))
