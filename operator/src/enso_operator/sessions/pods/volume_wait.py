"""Why a Pod with a node does not begin, where no container's state gives a reason.

Only the Pod's Events report a volume that cannot be mounted (`shared_reads.py` reads them). An
injected init container is reported only after some time, as it may just be slow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from enso_operator.api.document import Document
from enso_operator.sessions.pods import state
from enso_operator.sessions.pods.pod_warnings import Why
from enso_operator.sessions.pods.shared_reads import FOR_A_VOLUME, SharedReads, Waiter
from job_execution_framework.domain.cause import Cause, Reason

INIT_SECONDS = 3.0
"""How long an init container may run before it is what the session waits for."""


@dataclass
class VolumeWait:
    """Finds what one Pod waits for: a volume, or an injected init container."""

    reads: SharedReads
    namespace: str
    uid: str
    on_found: Callable[[], None]
    """Called when there may be a new answer."""
    _waiter: Waiter | None = field(default=None, init=False)
    """There while the Pod is without its volumes."""
    _init: str = field(default="", init=False)
    """The init container that the session waits for, and since when."""
    _init_since: float = field(default=0.0, init=False)

    def why(self, pod: Document, now: float) -> Why | None:
        """Return the kubelet's reason and our cause; None where nothing is known to be missing."""
        if not state.needs_volumes(pod):
            self.stop()
        elif self._waiter is None:
            joining = self.namespace, self.uid, FOR_A_VOLUME, self.on_found
            self._waiter = self.reads.join(*joining)
        why = self._waiter.warned.volume if self._waiter else None
        return why or self._why_init(pod, now)

    def stop(self) -> None:
        """Wait for no volume any longer."""
        if self._waiter:
            self._waiter.leave()
        self._waiter = None

    def _why_init(self, pod: Document, now: float) -> Why | None:
        running = state.init_container_that_runs(pod)
        if running != self._init:
            self._init, self._init_since = running, now
        if not running or now < self._init_since + INIT_SECONDS:
            return None
        sentence = f"its init container {running} has not ended"
        return Reason.INIT_CONTAINER, Cause(Reason.INIT_CONTAINER, sentence)

    def due(self) -> list[float]:
        """Return the time at which an init container becomes what the session waits for."""
        return [self._init_since + INIT_SECONDS] if self._init else []
