"""The reconciler's session backend for sessions in Pods.

Events of the watch of Pods are passed on to the `PodFollower` of the Pod's run.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass, field

from enso_operator.api.document import Document
from enso_operator.blocking import in_thread
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.kube.loop_client import LoopClient
from enso_operator.kube.resource import JobKey
from enso_operator.on_loop import on_loop
from enso_operator.sessions.pods import state
from enso_operator.sessions.pods.follower import PodFollower
from enso_operator.sessions.pods.inbox import PodGone, PodSeen
from enso_operator.sessions.pods.logs import PodLogs
from enso_operator.sessions.pods.opening import OpeningPods
from enso_operator.sessions.pods.places import QuotaQueues
from enso_operator.sessions.pods.pod_api import PodApi
from enso_operator.sessions.pods.pod_reaper import PodReaper
from enso_operator.sessions.pods.pod_warnings import warnings_of
from enso_operator.sessions.pods.sessions import PodSessions
from enso_operator.sessions.pods.shared_reads import SharedReads
from enso_operator.settings import PodSettings
from job_execution_framework.domain.errors import EnsoError, Unavailable
from job_execution_framework.service_layer.clock import Clock

LATE_SWEEPS = 3
"""Sweeps in which a Pod may be found gated before it is checked whether its job still needs it."""
_log = logging.getLogger(__name__)


@dataclass
class PodSessionBackend:
    """Implements `reconciler.SessionBackend` with Pods."""

    client: LoopClient
    logs: PodLogs
    settings: PodSettings
    clock: Clock
    _followers: dict[str, PodFollower] = field(default_factory=dict[str, PodFollower], init=False)
    """By the Pod's uid."""
    _gated: dict[str, Document] = field(default_factory=dict[str, Document], init=False)
    """Pods that were not released, by uid."""
    _reaper: PodReaper = field(init=False)
    _queues: QuotaQueues = field(default_factory=QuotaQueues, init=False)
    _reads: SharedReads = field(init=False)
    _opening: OpeningPods = field(default_factory=OpeningPods, init=False)
    _sweeps: dict[str, int] = field(default_factory=dict[str, int], init=False)
    """By uid, in how many sweeps a gated Pod was found."""

    def __post_init__(self) -> None:
        self._reaper = PodReaper(self.client)
        self._reads = SharedReads(
            lambda namespace, uids: in_thread(warnings_of, self.client, namespace, uids)
        )

    def sessions(self, ensojob: EnsoJobObject) -> PodSessions:
        """Return the sessions of a job. Raises InvalidJob."""
        api, place = PodApi(self.client, ensojob.namespace), self._queues.place(ensojob)
        given = ensojob, api, self.logs, self.settings, self.clock, self._follow
        return PodSessions(*given, place=place, reads=self._reads, opening=self._opening)

    def on_event(self, kind: str | None, pod: Document) -> None:
        """Take a Pod from the watch."""
        uid = pod["metadata"]["uid"]
        if follower := self._followers.get(uid):
            follower.inbox.put_nowait(PodGone(pod) if kind == "DELETED" else PodSeen(pod))
        self._opening.on_event(kind, pod)
        if not state.job_of(pod):
            kind = "DELETED"  # a Pod without the job's labels is not one of ours (any more)
        if kind != "DELETED" and state.is_gated(pod):
            self._gated[uid] = pod
            self._queues.pod_is_there(_job_key(pod))
        else:
            self._forget_gated(uid)
        self._reaper.on_event(kind, pod)
        if kind == "DELETED" or state.is_final(pod):
            self._queues.there_may_be_room(str(pod["metadata"]["namespace"]))

    async def close(self) -> None:
        """Stop what goes on without an actor, and close the connections of followed logs."""
        self._reaper.stop()
        await self.logs.close()

    async def forget(self, namespace: str, uid: str) -> None:
        """Do nothing: the garbage collector removes Pods, which their EnsoJob owns."""

    async def tidy(self, namespaces: Collection[str], known: Collection[str]) -> None:
        """Remove gated Pods that an operator created late and that no job has committed to."""
        del namespaces, known  # the watch shows only Pods of these namespaces
        for uid, pod in list(self._gated.items()):
            self._sweeps[uid] = self._sweeps.get(uid, 0) + 1
            is_needed = uid in self._followers or pod in self._opening
            if self._sweeps[uid] < LATE_SWEEPS or is_needed:
                continue
            try:
                await on_loop(self._remove_late, pod)
                self._forget_gated(uid)
            except Unavailable:
                continue  # the next sweep asks again
            except EnsoError as error:
                _log.warning("Pod %s was made late, and cannot be removed: %s", uid, error)

    def _forget_gated(self, uid: str) -> None:
        if pod := self._gated.pop(uid, None):
            self._queues.no_pod_is_there(_job_key(pod))
        self._sweeps.pop(uid, None)

    def _remove_late(self, pod: Document) -> None:
        metadata = pod["metadata"]
        namespace, name = metadata["namespace"], metadata["name"]
        api = PodApi(self.client, namespace)
        if api.committed(state.job_of(pod)) != metadata["uid"]:
            _log.warning("Pod %s/%s was made late: it is removed", namespace, name)
            api.delete(name, metadata["uid"])

    def _follow(self, follower: PodFollower | None, uid: str) -> None:
        if follower:
            self._followers[uid] = follower
        else:
            self._followers.pop(uid, None)


def _job_key(pod: Document) -> JobKey:
    return str(pod["metadata"]["namespace"]), state.job_of(pod)
