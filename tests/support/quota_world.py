"""An API server that counts what quotas allow, and jobs that want a Pod of it: in one loop."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from enso_operator.api.document import Document
from enso_operator.coordinator.turns import Queued, Turn
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.sessions.pods.demand import OutOfQuota, demand_of
from enso_operator.sessions.pods.places import Place, QuotaQueues
from job_execution_framework.domain.errors import Unavailable
from tests.support.resources import of_scripts


@dataclass
class QuotaWorld:
    """Namespaces with a quota of cpus each."""

    cpus: Counter[str] = field(default_factory=Counter[str])
    """What is free, by namespace."""
    refused: Counter[str] = field(default_factory=Counter[str])
    """Refused creations, by namespace."""
    created: list[str] = field(default_factory=list[str])
    """Names of Pods, in order."""
    error: Exception | None = None
    """What every creation raises."""

    def __post_init__(self) -> None:
        self.queues = QuotaQueues()

    def create(self, pod: Document, cpus: int) -> None:
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        if self.error:
            raise self.error
        if cpus > self.cpus[namespace]:
            self.refused[namespace] += 1
            why = f'pods "{name}" is forbidden: exceeded quota: compute, used: {self.cpus}'
            raise OutOfQuota(why, demand_of(pod), name)
        self.cpus[namespace] -= cpus
        self.created.append(name)

    def ends(self, namespace: str, cpus: int = 1) -> None:
        self.cpus[namespace] += cpus
        self.queues.there_may_be_room(namespace)


@dataclass
class WaitingJob:
    """A job that wants a Pod with so many cpus; a greater number is younger."""

    world: QuotaWorld
    number: int
    namespace: str = "shows"
    cpus: int = 1
    runs_for: float | None = None
    """Seconds until its Pod ends; None where it does not."""
    turn: Turn | None = field(default=None, init=False)
    said: str = field(default="", init=False)

    def __post_init__(self) -> None:
        document = of_scripts({})
        self.name = f"shot-{self.number}"
        second = f"2026-11-30T12:{self.number // 60 % 60:02}:{self.number % 60:02}Z"
        metadata = {"name": self.name, "namespace": self.namespace, "uid": self.name}
        metadata["creationTimestamp"] = second
        self._place: Place = self.world.queues.place(
            EnsoJobObject(document | {"metadata": metadata})
        )

    @property
    def pod(self) -> Document:
        container = {"name": "session", "resources": {"requests": {"cpu": str(self.cpus)}}}
        metadata = {"name": f"{self.name}-main-1", "namespace": self.namespace}
        return {"kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}}

    def tries(self) -> bool:
        """Ask for its Pod; return whether it has one."""
        try:
            with self._place.trying():
                self._place.check(self.pod)
                self.world.create(self.pod, self.cpus)
        except Queued as queued:
            self.turn, self.said = queued.turn, str(queued)
            return False
        except Unavailable as error:
            self.turn, self.said = None, str(error)
            return False
        self.turn = None
        return True

    async def has_its_turn(self) -> None:
        """Return when the job may try again."""
        come = asyncio.Event()
        if self.turn:
            self.turn.when_it_comes(come.set)
            await come.wait()
        else:
            await asyncio.sleep(30)  # as after any call that fails

    async def runs(self) -> None:
        """Try until it has its Pod, which ends after a while."""
        while not self.tries():
            await self.has_its_turn()
        if self.runs_for is not None:
            await asyncio.sleep(self.runs_for)
            self.world.ends(self.namespace, self.cpus)
