"""Why a Pod with a node does not begin, where no container's state gives a reason.

Only the Pod's Events report a volume that cannot be mounted. They are read when a Pod takes longer
than usual, and then with growing pauses. An injected init container is reported only after some
time, as it may just be slow.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from enso_operator.api.document import Document
from enso_operator.blocking import in_thread
from enso_operator.kube.client import Refused
from enso_operator.sessions.pods import state
from enso_operator.sessions.pods.pod_api import PodApi
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.errors import Unavailable

FIRST_LOOK_SECONDS, LONGEST_PAUSE_SECONDS = 3.0, 60.0
_VOLUME = ("FailedMount", "FailedAttachVolume", "FailedMapVolume")
_log = logging.getLogger(__name__)


@dataclass
class VolumeWait:
    """Finds what one Pod waits for: a volume, or an injected init container."""

    api: PodApi
    uid: str
    _since: float | None = field(default=None, init=False)
    """When the Pod was first seen without its volumes; None while it has them."""
    _looked: float = field(default=0.0, init=False)
    _why: tuple[str, Cause] | None = field(default=None, init=False)
    _init: str = field(default="", init=False)
    """The init container that the session waits for, and since when."""
    _init_since: float = field(default=0.0, init=False)

    def why(self, pod: Document, now: float) -> tuple[str, Cause] | None:
        """Return the kubelet's reason and our cause; None where nothing is known to be missing."""
        if not state.needs_volumes(pod):
            self._since, self._why = None, None
        elif self._since is None:
            self._since = self._looked = now
        return self._why or self._why_init(pod, now)

    def _why_init(self, pod: Document, now: float) -> tuple[str, Cause] | None:
        running = state.init_container_that_runs(pod)
        if running != self._init:
            self._init, self._init_since = running, now
        if not running or now < self._init_since + FIRST_LOOK_SECONDS:
            return None
        sentence = f"its init container {running} has not ended"
        return Reason.INIT_CONTAINER, Cause(Reason.INIT_CONTAINER, sentence)

    def due(self) -> list[float]:
        """Return the times at which the answer of `why` may change."""
        when = [self._init_since + FIRST_LOOK_SECONDS] if self._init else []
        return when + self._due_to_look()

    def _due_to_look(self) -> list[float]:
        """Return the time of the next read of the Pod's Events; empty if none is needed."""
        if self._since is None:
            return []
        passed = self._looked - self._since
        return [self._looked + min(max(FIRST_LOOK_SECONDS, passed), LONGEST_PAUSE_SECONDS)]

    async def look(self, now: float) -> None:
        """Read the Pod's Events, if it is time."""
        if not any(now >= when for when in self._due_to_look()):
            return
        self._looked = now
        try:
            found = await in_thread(self.api.warnings, self.uid)
        except (Refused, Unavailable) as error:
            _log.warning("a Pod does not begin, and its Events cannot be read: %s", error)
            return
        about_volumes = [event for event in found if event.get("reason") in _VOLUME]
        if about_volumes:
            newest = max(about_volumes, key=lambda event: str(event.get("lastTimestamp") or ""))
            why = Cause(Reason.CONFIG_ERROR, str(newest.get("message") or newest["reason"]))
            self._why = str(newest["reason"]), why
