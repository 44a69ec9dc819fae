"""Which session run is followed, and where people find it."""

from __future__ import annotations

from dataclasses import dataclass

from enso_operator.api.document import Document
from enso_operator.coordinator.session_location import SessionLocation
from enso_operator.sessions.pods import state
from job_execution_framework.domain.cause import Cause
from job_execution_framework.domain.row import Attempt


@dataclass(frozen=True)
class RunRef:
    """Which run is followed."""

    run: str
    pod: str
    uid: str
    scripts: tuple[str, ...]
    """Names of all of the job's scripts, in its order."""
    after: int = 0
    """Number of the last record that the job has; records up to it are not yielded again."""
    settle_seconds: float = 0.0
    """How long its processes may run on after the Pod was deleted without a seen end."""
    attempt: Attempt | None = None
    """The latest attempt of its container script that the job's status has; None where unknown."""

    def location(
        self, namespace: str, pod: Document | None, waits: Cause | None, *, is_gone: bool
    ) -> SessionLocation:
        """Return the run's location; a Pod that is gone has no log to read."""
        if pod is None:
            return SessionLocation(is_gone=is_gone, waits=waits)
        on, read = state.where(pod), state.container_to_read(pod)
        if is_gone:
            return SessionLocation(is_gone=True, on=on, waits=waits)
        log = f"kubectl logs -n {namespace} {self.pod} -c {read}" if read else ""
        return SessionLocation(pod=self.pod, on=on, log=log, waits=waits)
