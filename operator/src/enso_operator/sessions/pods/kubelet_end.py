"""Whether a kubelet has ended the Pod of a container script, and why, once its container has ended.

A program that obeys its kubelet may exit with 0: then only an Event tells (`shared_reads.py` has
them read). A session has no need of that, as it records itself that it was taken away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from enso_operator.api.document import Document
from enso_operator.sessions.pods import causes, state
from enso_operator.sessions.pods.shared_reads import FOR_AN_END, SharedReads, Waiter
from job_execution_framework.domain.cause import Cause


@dataclass
class KubeletEnd:
    """Finds out who has ended one Pod."""

    reads: SharedReads
    namespace: str
    uid: str
    on_read: Callable[[], None]
    """Called when there is something to `take`."""
    cause: Cause | None = field(default=None, init=False)
    """Why a kubelet has ended it; None where none has, or only its status tells."""
    _is_read: bool = field(default=False, init=False)
    _waiter: Waiter | None = field(default=None, init=False)

    def is_open(self, pod: Document) -> bool:
        """Whether its container has ended, and it is not known yet who has ended it."""
        has_ended = state.ended(pod) is not None
        return has_ended and not self._is_read and not causes.disruption(pod)

    def see(self, pod: Document) -> None:
        """Ask, once its container has ended without a reason in its status."""
        if self._waiter is None and self.is_open(pod):
            self._waiter = self.reads.join(self.namespace, self.uid, FOR_AN_END, self._on_read)

    def take(self) -> None:
        """Take what was read meanwhile: nothing changes between two of these calls."""
        if self._waiter and self._waiter.is_served:
            self._is_read, self.cause = True, self._waiter.warned.end

    def stop(self) -> None:
        """Wait for nothing any longer."""
        if self._waiter:
            self._waiter.leave()

    def _on_read(self) -> None:
        self.stop()  # one read is enough
        self.on_read()
