"""Ends Pods whose session has ended, where a container of others keeps them up.

A mesh's proxy, say, never ends by itself, and holds what its Pod was promised of a node: the job's
own next session may wait for that. A Pod of ours alone ends by itself, and costs no call.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from itertools import count

from kubernetes.client import ApiClient

from enso_operator.api.document import Document
from enso_operator.blocking import patiently, pause_of
from enso_operator.kube.client import Refused
from enso_operator.sessions.pods import names, state
from enso_operator.sessions.pods.pod_api import EXPIRED_SECONDS, PodApi

LINGER_SECONDS = 5.0
"""How long what runs beside a session may take to end by itself."""
LONGEST_PAUSE_SECONDS = 60.0
"""Before a Pod is looked at again that cannot be ended yet."""
_log = logging.getLogger(__name__)


@dataclass
class PodReaper:
    """The Pods that others keep up, of all jobs."""

    client: ApiClient
    _ends: dict[str, asyncio.Task[None]] = field(
        default_factory=dict[str, asyncio.Task[None]], init=False
    )
    """What ends each of them, by the Pod's uid."""

    def on_event(self, kind: str | None, pod: Document) -> None:
        """Take what a watch of Pods brought."""
        uid = pod["metadata"]["uid"]
        if kind == "DELETED" or not is_kept_up(pod):
            if task := self._ends.pop(uid, None):
                task.cancel()
        elif uid not in self._ends:
            self._ends[uid] = asyncio.create_task(self._end(pod))

    async def _end(self, pod: Document) -> None:
        metadata = pod["metadata"]
        namespace, name, uid = metadata["namespace"], metadata["name"], metadata["uid"]
        api = PodApi(self.client, namespace)
        for tries in count():
            await asyncio.sleep(pause_of(tries, LINGER_SECONDS, LONGEST_PAUSE_SECONDS))
            try:
                # Until its job has written how the session ended, its state is what tells that.
                if await patiently(api.committed, state.job_of(pod)) != uid:
                    await patiently(api.expire, name, uid)
                    _log.info("Pod %s/%s is ended, as its session has", namespace, name)
                    return
            except Refused as error:
                _log.warning("Pod %s/%s cannot be ended: %s", namespace, name, error)


def is_kept_up(pod: Document) -> bool:
    """Whether the session in it has ended, and a container of others has not."""
    status = state.part(pod, "status")
    if state.ended(pod) is None or status.get("phase") in ("Succeeded", "Failed"):
        return False
    if state.is_leaving(pod) or pod["spec"].get("activeDeadlineSeconds") == EXPIRED_SECONDS:
        return False
    return any(
        "terminated" not in state.part(container, "state")
        for container in state.items(status, "containerStatuses")
        if container["name"] != names.SESSION
    )
