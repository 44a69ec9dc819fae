"""Starts an actor for each job with a pending EnsoAction; the actor does or refuses the action.

`bootstrap.py` creates the dispatcher; `PendingActions` calls it for every new action, and the
resync calls `sweep`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial

from enso_operator.blocking import patiently, until_available
from enso_operator.controller.action_processor import ActionProcessor
from enso_operator.controller.pending_actions import PendingAction, PendingActions
from enso_operator.controller.reconciler import Reconciler
from enso_operator.controller.resync import versions_of
from enso_operator.kube.client import NoSuchObject, waiting
from enso_operator.kube.ensoaction import ACTIONS
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.kube.objects import Objects
from enso_operator.kube.resource import JobKey
from enso_operator.kube.status.action import Result
from job_execution_framework.service_layer.clock import Clock

UNKNOWN_SECONDS = 10.0
"""How long a job may be missing before its actions are refused: both may be applied together."""


@dataclass
class ActionDispatcher:
    """Starts actors, also of jobs that have ended; refuses actions on jobs that do not exist."""

    pending: PendingActions
    reconciler: Reconciler
    clock: Clock
    _being_read: set[JobKey] = field(default_factory=set[JobKey], init=False)
    """Jobs that are being read from the API server."""

    def __post_init__(self) -> None:
        self.pending.on_pending = self.on_pending

    def on_pending(self, job: JobKey) -> None:
        """Wake the job's actor, so that it reads its actions; start one if there is none."""
        if actor := self.reconciler.actor_named(job):
            actor.wake()
        elif job not in self._being_read:
            self._being_read.add(job)
            self.reconciler.do(self._start_actor(job))

    async def sweep(self) -> list[tuple[str, int]]:
        """List all actions; return uids and versions of those that the watch has not shown."""
        before = set(self.pending.known)
        listed = await versions_of(self._actions, self.reconciler.namespaces)
        self.pending.forget(before - listed.keys())
        return [(uid, at) for uid, at in listed.items() if self.is_missing(uid, at)]

    def is_missing(self, uid: str, version: int) -> bool:
        """Whether the watch has not shown this version of an action, nor a later one."""
        return self.pending.is_missing(uid, version)

    async def _start_actor(self, job: JobKey) -> None:
        """Start the job's actor; refuse the actions if the job does not exist after a while."""
        try:
            ensojob = await patiently(self._get, job)
            if ensojob is None:
                actions = self.pending.of(job)
                await asyncio.sleep(UNKNOWN_SECONDS)
                ensojob = await patiently(self._get, job)
                if ensojob is None:
                    await self._refuse(job, actions)
        finally:
            self._being_read.discard(job)
        if ensojob:
            self.reconciler.act_on(ensojob)
        elif self.pending.of(job):
            self.on_pending(job)

    def _actions(self, namespace: str) -> Objects:
        return self.reconciler.objects(namespace).beside(ACTIONS)

    def _get(self, job: JobKey) -> EnsoJobObject | None:
        namespace, name = job
        try:
            with waiting():
                return EnsoJobObject.of(self.reconciler.objects(namespace).get(name))
        except NoSuchObject:
            return None

    async def _refuse(self, job: JobKey, actions: list[PendingAction]) -> None:
        namespace, name = job
        jobs = self.reconciler.objects(namespace)
        processor = ActionProcessor(job, self.pending, jobs, self.clock)
        result = Result("JobNotFound", f"there is no job {name!r} in namespace {namespace!r}")
        await until_available(partial(processor.refuse_all, actions, result))
