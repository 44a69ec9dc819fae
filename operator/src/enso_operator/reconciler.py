"""One actor for each live EnsoJob. Finished jobs cost nothing until their time to live is over.

What a watch brings arrives in `saw`. `sweep` looks now and then at what there really is, because
a watch may miss a deletion, or be dead.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from kubernetes.client import ApiClient

from enso_operator.actor import Listener
from enso_operator.adapters.kube import Document, NoSuchObject, Objects
from enso_operator.adapters.library import EnsoScriptLibrary
from enso_operator.adapters.recorder import Recorder
from enso_operator.adapters.unit_of_work import KubernetesJobUnitOfWork, Seen
from enso_operator.ensojob_actor import EnsoJobActor, PlacedSessions
from enso_operator.metrics import Metrics
from enso_operator.threads import in_thread, turn_of
from job_execution_framework.domain.errors import Conflict, InvalidJob, Unavailable, Unreadable
from job_execution_framework.service_layer.clock import Clock

KIND = "ensojobs"
LONGEST_BACK_OFF_SECONDS = 60.0
"""Before an actor that broke again and again is started once more."""
LINGER_SECONDS = 10.0
"""How long the process of a session that has ended may take to exit."""
_log = logging.getLogger(__name__)


class JobSessions(PlacedSessions, Protocol):
    """The sessions of one job."""

    async def reap(self, patience: float) -> None:
        """Wait so many seconds for what is left of runs that have ended."""
        ...


class Machine(Protocol):
    """Where the sessions of all EnsoJobs run."""

    def sessions(self, about: Seen) -> JobSessions:
        """Return the sessions of a job."""
        ...

    async def forget(self, namespace: str, uid: str) -> None:
        """Remove what is left of a job that is gone."""
        ...

    async def tidy(self, namespaces: Collection[str], known: Collection[str]) -> None:
        """Remove what is left of jobs in these namespaces that are not `known` any more."""
        ...


@dataclass
class Reconciler:
    """Starts actors, and watches that none dies silently."""

    client: ApiClient
    machine: Machine
    recorder: Recorder
    clock: Clock
    metrics: Metrics
    listener: Callable[[Seen], Listener]
    namespaces: Sequence[str] = ()
    """Those that are looked after; without any, all."""

    known: dict[str, int] = field(default_factory=dict[str, int], init=False)
    """The EnsoJobs that there are, by uid, with the newest version that was seen of each."""
    actors: dict[str, EnsoJobActor] = field(default_factory=dict[str, EnsoJobActor], init=False)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]], init=False)
    _stopped: bool = field(default=False, init=False)
    _expiries: dict[str, asyncio.TimerHandle] = field(
        default_factory=dict[str, asyncio.TimerHandle], init=False
    )

    def saw(self, kind: str | None, document: Document) -> None:
        """Take what a watch brought: ADDED, MODIFIED or DELETED; None is an object that it lists.

        Only a listing may bring what is older than what was seen: a restored cluster does.
        """
        seen = Seen(document)
        if kind == "DELETED":
            self._gone(seen.uid)
            if seen.uid not in self.actors:
                self._do(self.machine.forget(seen.namespace, seen.uid))
            return
        version, before = int(seen.version), self.known.get(seen.uid, 0)
        if version == before or (version < before and kind is not None):
            return
        self.known[seen.uid] = version
        self._see_to(seen)

    def _see_to(self, seen: Seen) -> None:
        if actor := self.actors.get(seen.uid):
            actor.saw(seen.document)
        elif needs_work(seen.document):
            self._do(self._drive(seen))
        else:
            self._let_expire(seen)

    async def sweep(self) -> list[Document]:
        """Look at what there is. Return the metadata of objects that the watch has not shown."""
        before = set(self.known)
        listed: list[Document] = []
        for namespace in self.namespaces or [""]:
            listed += await in_thread(Objects(self.client, namespace, KIND).metadata)
        there = {one["uid"] for one in listed}
        for uid in before - there:
            self._gone(uid)
        known = there | self.known.keys() | self.actors.keys()
        self._do(self.machine.tidy(self.namespaces, known))
        return [
            one for one in listed if int(one["resourceVersion"]) > self.known.get(one["uid"], 0)
        ]

    async def stop(self, patience: float) -> None:
        """Stop every actor, for good. Sessions go on: whoever comes next finds them."""
        self._stopped = True
        for timer in self._expiries.values():
            timer.cancel()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=patience)

    def _do(self, chore: Coroutine[Any, Any, None]) -> None:
        if self._stopped:  # kopf has a thread of its own, which may still show something
            chore.close()
            return
        task = asyncio.create_task(chore)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _log.error("a task of the operator broke", exc_info=error)

    def _gone(self, uid: str) -> None:
        self.known.pop(uid, None)
        self._forget_expiry(uid)
        if actor := self.actors.get(uid):
            actor.deleted()

    # Live jobs.

    async def _drive(self, seen: Seen) -> None:
        """Drive a job to its end, however often its actor breaks."""
        failures = 0
        turn_of.set(seen.uid)  # for this task, and those that it begins
        self._forget_expiry(seen.uid)
        sessions = self.machine.sessions(seen)
        actor = self.actors[seen.uid] = self._actor(seen, sessions)
        try:
            while not await self._drive_to_end(actor):
                failures += 1
                pause = min(LONGEST_BACK_OFF_SECONDS, 2.0**failures)
                await _complain(actor, f"enso itself broke; it tries again in {pause:g} s")
                await asyncio.sleep(pause)
                actor = self.actors[seen.uid] = self._actor(actor.newest, sessions)
        finally:
            del self.actors[seen.uid]
        if seen.uid in self.known:
            # What the watch still shows of the time before is no news.
            self.known[seen.uid] = max(self.known[seen.uid], int(actor.newest.version))
            self._see_to(actor.newest)
        await sessions.reap(LINGER_SECONDS)
        if seen.uid not in self.known:
            await self.machine.forget(seen.namespace, seen.uid)

    def _actor(self, seen: Seen, sessions: JobSessions) -> EnsoJobActor:
        return EnsoJobActor(
            seen,
            job_uow=KubernetesJobUnitOfWork(Objects(self.client, seen.namespace, KIND)),
            sessions=sessions,
            library=EnsoScriptLibrary(Objects(self.client, seen.namespace, "ensoscripts")),
            clock=self.clock,
            listener=self.listener(seen),
            recorder=self.recorder,
            metrics=self.metrics,
        )

    async def _drive_to_end(self, actor: EnsoJobActor) -> bool:
        """Return False where something broke that should not have."""
        try:
            await actor.drive()
        except (InvalidJob, Unreadable) as error:
            _log.warning("%s/%s: %s", actor.about.namespace, actor.about.name, error)
            await _complain(actor, str(error))
        except Exception:  # noqa: BLE001  # whatever it is, the job goes on
            self.metrics.actor_failed()
            _log.exception("%s/%s: its actor broke", actor.about.namespace, actor.about.name)
            return False
        return True

    # Finished jobs.

    def _let_expire(self, seen: Seen) -> None:
        """Have a finished job deleted when its time to live is over."""
        self._forget_expiry(seen.uid)
        seconds: int | None = seen.document["spec"].get("ttlSecondsAfterFinished")
        status: Document = seen.document.get("status") or {}
        ended: str | None = status.get("completionTime")
        if seconds is None or ended is None:
            return
        due = datetime.fromisoformat(ended).timestamp() + seconds - self.clock.now()
        loop = asyncio.get_running_loop()
        self._expiries[seen.uid] = loop.call_later(
            max(0.0, due), lambda: self._do(self._delete(seen))
        )

    def _forget_expiry(self, uid: str) -> None:
        if timer := self._expiries.pop(uid, None):
            timer.cancel()

    async def _delete(self, seen: Seen) -> None:
        """Delete the job, unless it was changed since: then its new time to live counts."""
        objects = Objects(self.client, seen.namespace, KIND)
        while True:
            try:
                await in_thread(objects.delete, seen.name, seen.uid, seen.version)
            except Unavailable:
                await asyncio.sleep(LONGEST_BACK_OFF_SECONDS / 10)
            except NoSuchObject:
                return
            except Conflict:
                await asyncio.sleep(LONGEST_BACK_OFF_SECONDS / 10)
                if self.known.get(seen.uid) != int(seen.version):
                    return
            else:
                _log.info("%s/%s was deleted: its time to live is over", seen.namespace, seen.name)
                return


async def _complain(actor: EnsoJobActor, why: str) -> None:
    """Tell it as an Event, as patiently as all others."""
    while True:
        try:
            return await actor.complain(why)
        except Unavailable:
            await asyncio.sleep(1)


def needs_work(document: Document) -> bool:
    """Whether something is to be done for an EnsoJob: it has not ended, or its spec was changed."""
    status: Document = document.get("status") or {}
    conditions: list[Document] = status.get("conditions") or []
    finished = any(one["type"] == "Finished" and one["status"] == "True" for one in conditions)
    return not finished or status.get("observedGeneration") != document["metadata"]["generation"]
