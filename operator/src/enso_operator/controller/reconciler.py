"""Runs one actor for each EnsoJob that needs work.

Only a reference is held of all others: jobs that have ended, that are suspended, or whose object
an actor cannot use. They are looked at again when their resourceVersion changes.

The watch of jobs that have not ended calls `on_event`, that of the others, which shows only their
metadata, `on_change`. `sweep` lists the objects now and then, because a watch may miss a
deletion, or be dead.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from enso_operator.api.document import Document
from enso_operator.blocking import patiently, pause_of, turn_of, until_available
from enso_operator.controller.alarms import Alarms
from enso_operator.controller.ensojob_actor import EnsoJobActor, NoJob
from enso_operator.controller.pending_actions import PendingActions
from enso_operator.controller.queued_jobs import QueuedJobs
from enso_operator.controller.rereads import Rereads
from enso_operator.controller.resync import versions_of
from enso_operator.controller.start_queue import StartQueue
from enso_operator.controller.ttl import TimeToLive
from enso_operator.coordinator.sessions import Sessions
from enso_operator.kube.client import NoSuchObject, Refused
from enso_operator.kube.ensojob import EnsoJobObject, Reference
from enso_operator.kube.objects import Objects
from enso_operator.kube.resource import JobKey
from enso_operator.observability.metrics import Metrics, Waits
from job_execution_framework.service_layer.clock import Clock

LONGEST_BACK_OFF_SECONDS = 60.0
"""Longest pause before a job whose actor failed, or gave up, gets another actor."""
LINGER_SECONDS = 10.0
"""How long the process of a session that has ended may take to exit."""
_log = logging.getLogger(__name__)


class SessionBackend(Protocol):
    """Where the sessions of all EnsoJobs run."""

    def sessions(self, ensojob: EnsoJobObject) -> Sessions:
        """Return the sessions of a job."""
        ...

    async def forget(self, namespace: str, uid: str) -> None:
        """Remove what is left of a deleted job's sessions."""
        ...

    async def tidy(self, namespaces: Collection[str], known: Collection[str]) -> None:
        """Remove sessions in these namespaces whose job's uid is not `known`."""
        ...


@dataclass
class Reconciler:
    """Starts actors, and restarts those that fail."""

    objects: Callable[[str], Objects]
    """Returns the EnsoJobs of a namespace; "" means all namespaces."""
    backend: SessionBackend
    actor_of: Callable[[EnsoJobObject, Sessions], EnsoJobActor]
    """Makes an actor for an EnsoJob, which runs its scripts in these sessions."""
    clock: Clock
    metrics: Metrics
    pending: PendingActions
    """EnsoActions that wait for an actor of their job."""
    namespaces: Sequence[str] = ()
    """Namespaces that are watched; empty means all."""

    known: dict[str, int] = field(default_factory=dict[str, int], init=False)
    """Existing EnsoJobs by uid, with the newest resourceVersion that was seen of each."""
    actors: dict[str, EnsoJobActor] = field(default_factory=dict[str, EnsoJobActor], init=False)
    _resting: dict[str, Reference] = field(default_factory=dict[str, Reference], init=False)
    """By uid, jobs that have not ended and need no work, in the version that was looked at."""
    _given_up: dict[str, tuple[int, float]] = field(
        default_factory=dict[str, tuple[int, float]], init=False
    )
    """By uid: how often in a row an actor gave up, and until when no other one is started."""
    _alarms: Alarms = field(init=False)
    """Timers of resting jobs for which something is due."""
    _queued: QueuedJobs = field(default_factory=QueuedJobs, init=False)
    """Resting jobs whose turn in a queue is waited for."""
    _starts: StartQueue = field(init=False)
    """Those that start, and resting jobs that are to do so in their turn."""
    _ttl: TimeToLive = field(init=False)
    _rereads: Rereads = field(init=False)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]], init=False)
    _stopped: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._alarms = Alarms(self._do_wake)
        self._starts = StartQueue(self._start_resting, self._do_wake)
        self._ttl = TimeToLive(self.objects, self.clock, self.do)
        self._rereads = Rereads(
            *(self.objects, self.do),
            is_news=lambda job: int(job.version) > self._version_of(job.uid),
            found=partial(self.on_event, "MODIFIED"),
            gone=self._on_gone,
        )

    @property
    def live(self) -> int:
        """Number of jobs that have not ended."""
        return len(self.actors) + len(self._resting)

    @property
    def queued_starts(self) -> int:
        """Number of jobs that wait for their turn to start."""
        return len(self._starts)

    def waits(self) -> Iterator[Waits]:
        """Yield why each job waits that waits for something outside of it, and for how long."""
        for actor in self.actors.values():
            if actor.committed_waits and actor.waits_since is not None:
                yield actor.committed_waits, max(0.0, self.clock.now() - actor.waits_since)
        for waits, since in self._queued.waits():
            yield waits, max(0.0, self.clock.now() - since)

    def on_event(self, kind: str | None, document: Document) -> None:
        """Take an object of the watch; `kind` is ADDED, MODIFIED, DELETED, or None from a list.

        An older version than the one seen is accepted only from a list, as after an etcd restore.
        """
        ensojob = EnsoJobObject.of(document)
        if kind == "DELETED":  # or it has ended, and is not watched as a whole any more
            actor = self.actors.get(ensojob.uid)
            # What runs must hear of a deletion before its Pod is gone.
            runs = actor is not None and not actor.has_ended
            (self._rereads.look_now if runs else self._rereads.look)(ensojob.reference)
            return
        version, before = int(ensojob.version), self.known.get(ensojob.uid, 0)
        if version == before or (version < before and kind is not None):
            return
        self.known[ensojob.uid] = version
        self._start_or_rest(ensojob)

    def on_ended(self, document: Document) -> None:
        """Take what a list says of a job that has ended; one that needs more is read as a whole."""
        ensojob = EnsoJobObject(document)
        if ensojob.uid not in self.actors:
            if not ensojob.needs_work:
                self.on_event(None, document)
                return
            if int(ensojob.version) < self.known.get(ensojob.uid, 0):  # as after an etcd restore
                self.known[ensojob.uid] = 0
        self.on_change(document)

    def on_change(self, document: Document) -> None:
        """Take an object without spec and status of a job that has, or had, ended."""
        self._rereads.look(EnsoJobObject(document).reference)

    def _version_of(self, uid: str) -> int:
        """Return the newest known version of a job, also of one that its actor has just written."""
        actor = self.actors.get(uid)
        return max(self.known.get(uid, 0), int(actor.newest.version) if actor else 0)

    def _on_gone(self, job: Reference) -> None:
        self._on_deleted(job.uid)
        if job.uid not in self.actors:
            self.do(self.backend.forget(job.namespace, job.uid))

    def _start_or_rest(self, ensojob: EnsoJobObject) -> None:
        if actor := self.actors.get(ensojob.uid):
            actor.on_event(ensojob)
            return
        self._cancel_wakeups(ensojob.uid)
        if not ensojob.needs_work:
            self._starts.leave(ensojob.uid)
            self._queued.leave(ensojob.uid)
            self._given_up.pop(ensojob.uid, None)
            self._ttl.look_at(ensojob)
        elif (pause := self._pause_of(ensojob.uid)) > 0:
            self._starts.leave(ensojob.uid)
            self._rest(ensojob, pause)
        elif ensojob.uid in self._queued or self._starts.may_start(ensojob):
            self._start(ensojob)
        else:
            self._rest(ensojob, None)

    def actor_named(self, job: JobKey) -> EnsoJobActor | None:
        """Return the actor of the job with this namespace and name, if it has one."""
        actors = (actor for actor in self.actors.values() if not actor.is_deleted)
        return next((actor for actor in actors if actor.ensojob.key == job), None)

    def act_on(self, ensojob: EnsoJobObject) -> None:
        """Start the actor of a job on which an EnsoAction waits, also of one that has ended."""
        if actor := self.actors.get(ensojob.uid):
            actor.wake()
            return
        self.known[ensojob.uid] = max(self.known.get(ensojob.uid, 0), int(ensojob.version))
        self._cancel_wakeups(ensojob.uid)
        self._starts.leave(ensojob.uid)  # somebody waits for it
        self._start(ensojob)

    async def sweep(self) -> list[tuple[str, int]]:
        """List all objects. Return the uids and versions that the watch has not shown."""
        before = set(self.known)
        listed = await versions_of(self.objects, self.namespaces)
        for uid in before - listed.keys():
            self._on_deleted(uid)
        known = listed.keys() | self.known.keys() | self.actors.keys()
        self.do(self.backend.tidy(self.namespaces, known))
        return [(uid, at) for uid, at in listed.items() if self.is_missing(uid, at)]

    def is_missing(self, uid: str, version: int) -> bool:
        """Whether the watch has not shown this version of a job, nor a later one."""
        return version > self.known.get(uid, 0)

    async def stop(self, patience: float) -> None:
        """Stop every actor, for good. Sessions go on; the next operator finds them."""
        self._stopped = True
        self._ttl.stop()
        self._alarms.stop_all()
        self._starts.stop()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=patience)

    def do(self, chore: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine as a task, until the operator stops."""
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

    def _on_deleted(self, uid: str) -> None:
        self.known.pop(uid, None)
        self._given_up.pop(uid, None)
        self._starts.leave(uid)
        self._queued.leave(uid)
        self._cancel_wakeups(uid)
        if actor := self.actors.get(uid):
            actor.deleted()

    # Jobs for which something is to be done.

    def _start(self, ensojob: EnsoJobObject) -> None:
        """Start the only actor of the job."""
        sessions = self.backend.sessions(ensojob)
        actor = self._new_actor(ensojob, sessions)
        if queued := self._queued.take(ensojob.uid):
            actor.go_on_waiting(queued)
        self.do(self._drive(actor, sessions))

    def _new_actor(self, ensojob: EnsoJobObject, sessions: Sessions) -> EnsoJobActor:
        actor = self.actors[ensojob.uid] = self.actor_of(ensojob, sessions)
        actor.on_started = partial(self._starts.leave, ensojob.uid)
        return actor

    async def _drive(self, actor: EnsoJobActor, sessions: Sessions) -> None:
        """Drive a job until it needs no work; an actor that fails is replaced after a pause."""
        failures, namespace, uid = 0, actor.ensojob.namespace, actor.ensojob.uid
        turn_of.set(uid)  # for this task, and those that it begins
        try:
            while not await self._drive_to_end(actor):
                failures += 1
                # Set before the pause: events that arrive meanwhile go to the new actor.
                actor = self._new_actor(actor.newest, sessions)
                pause = pause_of(failures, 1, LONGEST_BACK_OFF_SECONDS)
                await _report_blocked(actor, f"enso itself broke; it tries again in {pause:g} s")
                await actor.sleep(pause)
        finally:
            del self.actors[uid]
        self._on_actor_returned(actor)
        if self.pending.of(actor.ensojob.key):  # it came after the actor's last look
            self.pending.on_pending(actor.ensojob.key)
        await sessions.reap(LINGER_SECONDS)
        if uid not in self.known:
            await self.backend.forget(namespace, uid)

    async def _drive_to_end(self, actor: EnsoJobActor) -> bool:
        """Return False after an unexpected exception."""
        try:
            await actor.drive()
        except NoJob as error:
            _log.warning("%s/%s: %s", actor.ensojob.namespace, actor.ensojob.name, error)
            await _report_blocked(actor, str(error))
        except Exception:  # noqa: BLE001  # whatever it is, the job goes on
            self.metrics.actor_failed()
            _log.exception("%s/%s: its actor broke", actor.ensojob.namespace, actor.ensojob.name)
            return False
        finally:
            actor.on_started()
        return True

    # Jobs for which nothing is to be done.

    def _on_actor_returned(self, actor: EnsoJobActor) -> None:
        """Let the job rest, or start again where it was changed after its actor's last look."""
        ensojob, newest = actor.ensojob, actor.newest
        if ensojob.uid not in self.known:
            if actor.queued:
                actor.queued.obstacle.leave_queue()
            return
        # The watch may still show versions from before the actor's own writes: they are ignored.
        self.known[ensojob.uid] = max(self.known[ensojob.uid], int(newest.version))
        if actor.queued:
            its_turn = partial(self._do_wake, ensojob.reference)
            self._queued.rest(ensojob.uid, actor.queued, its_turn)
        times = self._given_up.pop(ensojob.uid, (0, 0.0))[0] + 1
        wakes_in = actor.wakes_in
        if actor.gave_up:
            pause = pause_of(times, 1, LONGEST_BACK_OFF_SECONDS)
            self._given_up[ensojob.uid] = times, self.clock.now() + pause
            wakes_in = wakes_in and max(wakes_in, pause)
        if newest is ensojob and ensojob.needs_work:
            self._rest(ensojob, wakes_in)
        else:
            self._start_or_rest(newest)

    def _do_wake(self, job: Reference) -> None:
        self.do(self._wake(job))

    def _rest(self, ensojob: EnsoJobObject, seconds: float | None) -> None:
        self._resting[ensojob.uid] = ensojob.reference
        if seconds is not None:
            self._alarms.set(ensojob.reference, seconds)

    def _cancel_wakeups(self, uid: str) -> None:
        """Cancel the timers of a job, and remove it from the resting ones."""
        self._resting.pop(uid, None)
        self._alarms.stop(uid)
        self._ttl.forget(uid)

    def _pause_of(self, uid: str) -> float:
        return self._given_up.get(uid, (0, 0.0))[1] - self.clock.now()

    async def _wake(self, job: Reference) -> None:
        """Read a resting job whose timer is over, and start its actor if it needs work."""
        turn_of.set(job.uid)  # for this task
        try:
            ensojob = EnsoJobObject.of(await patiently(self.objects(job.namespace).get, job.name))
        except NoSuchObject:
            if self._still_rests(job):
                self._starts.leave(job.uid)
            return
        except Refused as error:
            _log.warning("%s/%s cannot be read: %s", job.namespace, job.name, error)
            if self._still_rests(job):  # else a newer version waits for its turn
                self._starts.leave(job.uid)
                self._alarms.set(job, LONGEST_BACK_OFF_SECONDS)
            return
        if ensojob.uid == job.uid and self._still_rests(job):
            self.known[job.uid] = max(self.known.get(job.uid, 0), int(ensojob.version))
            self._start_or_rest(ensojob)

    def _still_rests(self, job: Reference) -> bool:
        """Whether the job rests in this version."""
        return self._resting.get(job.uid) == job

    def _start_resting(self, ensojob: EnsoJobObject) -> None:
        """Start the actor of a resting job, unless it was changed or deleted since it was seen."""
        if self._still_rests(ensojob.reference):
            self._start_or_rest(ensojob)


async def _report_blocked(actor: EnsoJobActor, why: str) -> None:
    """Post why the job is blocked as an Event, with the same retries as for other Events."""
    await until_available(partial(actor.report_blocked, why))
