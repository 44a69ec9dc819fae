"""Which session run is followed, and where people find it."""

from __future__ import annotations

from dataclasses import dataclass

from enso_operator.api.document import Document
from enso_operator.coordinator.session_location import SessionLocation
from enso_operator.sessions.pods import state
from job_execution_framework.domain.cause import Cause


@dataclass(frozen=True)
class RunRef:
    """Which run is followed."""

    run: str
    pod: str
    uid: str
    scripts: tuple[str, ...]
    """Names of all of the job's scripts, in its order."""
    after: int = 0
    """Number of the last of its records that the job has; what was before is not told again."""
    settle_seconds: float = 0.0
    """How long its processes may go on when the Pod is gone and nobody saw them end."""
    began_at: float | None = None
    """When its container script was first seen to run, where that was written down."""

    def location(
        self, namespace: str, pod: Document | None, waits: Cause | None, *, is_gone: bool
    ) -> SessionLocation:
        """Return where people find it; of a Pod that is gone there is nothing to read."""
        if pod is None:
            return SessionLocation(is_gone=is_gone, waits=waits)
        on, read = state.where(pod), state.container_to_read(pod)
        if is_gone:
            return SessionLocation(is_gone=True, on=on, waits=waits)
        log = f"kubectl logs -n {namespace} {self.pod} -c {read}" if read else ""
        return SessionLocation(pod=self.pod, on=on, log=log, waits=waits)
