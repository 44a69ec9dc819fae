"""Ends Pods whose session has ended, but which an injected container keeps running.

The proxy of a service mesh, for example, never exits and keeps the Pod's share of the node, for
which the job's next session may wait. A Pod without such a container ends without any call.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from itertools import count

from enso_operator.api.document import Document
from enso_operator.blocking import patiently, pause_of
from enso_operator.kube.client import Refused
from enso_operator.kube.loop_client import LoopClient
from enso_operator.sessions.pods import names, state
from enso_operator.sessions.pods.pod_api import EXPIRED_SECONDS, PodApi

LINGER_SECONDS = 5.0
"""How long containers beside a session may take to end by themselves."""
LONGEST_PAUSE_SECONDS = 60.0
"""Longest pause before a Pod that cannot be ended yet is tried again."""
_log = logging.getLogger(__name__)


@dataclass
class PodReaper:
    """Ends such Pods of all jobs."""

    client: LoopClient
    _ends: dict[str, asyncio.Task[None]] = field(
        default_factory=dict[str, asyncio.Task[None]], init=False
    )
    """The task that ends each Pod, by the Pod's uid."""

    def on_event(self, kind: str | None, pod: Document) -> None:
        """Take a Pod from the watch."""
        uid = pod["metadata"]["uid"]
        if kind == "DELETED" or not is_kept_up(pod):
            if task := self._ends.pop(uid, None):
                task.cancel()
        elif uid not in self._ends:
            self._ends[uid] = asyncio.create_task(self._end(pod))

    def stop(self) -> None:
        """End no Pod any more."""
        for task in self._ends.values():
            task.cancel()

    async def _end(self, pod: Document) -> None:
        metadata = pod["metadata"]
        namespace, name, uid = metadata["namespace"], metadata["name"], metadata["uid"]
        api = PodApi(self.client, namespace)
        for tries in count():
            await asyncio.sleep(pause_of(tries, LINGER_SECONDS, LONGEST_PAUSE_SECONDS))
            try:
                # Until the job's status has the session's end, the Pod's state is needed for it.
                if await patiently(api.committed, state.job_of(pod)) != uid:
                    await patiently(api.expire, name, uid)
                    _log.info("Pod %s/%s is ended, as its session has", namespace, name)
                    return
            except Refused as error:
                _log.warning("Pod %s/%s cannot be ended: %s", namespace, name, error)


def is_kept_up(pod: Document) -> bool:
    """Whether the Pod's session has ended, and an injected container still runs."""
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
