"""Why a Pod that has a node does not begin, where only its Events tell: a volume does not come.

They are asked for only when a Pod takes longer than others, and then less and less often.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from enso_operator.adapters.kube import Document, Refused
from enso_operator.adapters.pods import state
from enso_operator.adapters.pods.calls import PodCalls
from enso_operator.threads import in_thread
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.errors import Unavailable

FIRST_LOOK_SECONDS, LONGEST_PAUSE_SECONDS = 3.0, 60.0
_VOLUME = ("FailedMount", "FailedAttachVolume", "FailedMapVolume")
_log = logging.getLogger(__name__)


@dataclass
class Delay:
    """What is known of one Pod's delay."""

    calls: PodCalls
    uid: str
    _since: float | None = field(default=None, init=False)
    """When it was first seen without its volumes; None while it is not."""
    _looked: float = field(default=0.0, init=False)
    _why: tuple[str, Cause] | None = field(default=None, init=False)

    def why(self, pod: Document, now: float) -> tuple[str, Cause] | None:
        """Return the kubelet's word and our cause; None where the Pod has what it needs."""
        if not state.needs_volumes(pod):
            self._since, self._why = None, None
        elif self._since is None:
            self._since = self._looked = now
        return self._why

    def due(self) -> list[float]:
        """Return when its Events are to be looked at."""
        if self._since is None:
            return []
        passed = self._looked - self._since
        return [self._looked + min(max(FIRST_LOOK_SECONDS, passed), LONGEST_PAUSE_SECONDS)]

    async def look(self, now: float) -> None:
        """Look at its Events, if it is time."""
        if not any(now >= when for when in self.due()):
            return
        self._looked = now
        try:
            found = await in_thread(self.calls.warnings, self.uid)
        except (Refused, Unavailable) as error:
            _log.warning("a Pod does not begin, and its Events cannot be read: %s", error)
            return
        told = [one for one in found if one.get("reason") in _VOLUME]
        if told:
            newest = max(told, key=lambda one: str(one.get("lastTimestamp") or ""))
            why = Cause(Reason.CONFIG_ERROR, str(newest.get("message") or newest["reason"]))
            self._why = str(newest["reason"]), why
