"""The runs that a session lost; `Job` keeps them for each session."""

from __future__ import annotations

from dataclasses import dataclass

from job_execution_framework.domain.cause import Cause
from job_execution_framework.domain.script import Session


@dataclass(frozen=True)
class Losses:
    """How many runs a session lost, why the last of them, and when."""

    count: int
    cause: Cause
    at: float

    def exceed(self, session: Session) -> bool:
        """Whether more runs were lost than the session's `retry_lost` allows to replace."""
        return self.count > session.retry_lost
