"""Folds what was observed into the job, for the actor, and stops a session that lies."""

from __future__ import annotations

from dataclasses import replace

from enso_operator.coordinator import session_trust
from enso_operator.coordinator.sessions import Sessions
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.control import CANCEL
from job_execution_framework.domain.errors import GapInLog, IllegalTransition
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.steps import Step
from job_execution_framework.service_layer import services
from job_execution_framework.service_layer.clock import Clock
from job_execution_framework.service_layer.observations import Ended, Observations


class Folding:
    """A session whose records cannot be true is cancelled, and ignored until it has ended."""

    def __init__(self, sessions: Sessions, clock: Clock) -> None:
        self._sessions, self._clock = sessions, clock
        self._untrusted_because: Cause | None = None
        """Why the records of the open session are not believed any more."""

    def a_run_begins(self) -> None:
        """Believe the session run that begins."""
        self._untrusted_because = None

    async def fold(self, job: Job, seen: Observations) -> Step:
        """Fold observations into the job; return its next step."""
        if self._untrusted_because:
            ended = seen.ended and Ended(log_is_complete=False, cause=self._untrusted_because)
            seen = replace(seen, records=(), ended=ended)
        try:
            return services.reconcile(job, session_trust.believed(job, seen), self._clock.now())
        except (GapInLog, IllegalTransition) as error:
            if not job.open_run or not (seen.records or (seen.ended and seen.ended.outcomes)):
                raise
            await self._sessions.tell(job.open_run.run, job.open_run.uid, CANCEL)
            self._untrusted_because = Cause(
                Reason.SESSION_LOST, f"its records cannot be true: {error}"
            )
            return await self.fold(job, seen)
