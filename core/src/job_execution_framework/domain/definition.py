"""The definition of a job: its scripts and sessions, without its events and states."""

from __future__ import annotations

from dataclasses import dataclass

from job_execution_framework.domain.script import Script, Session, check


@dataclass(frozen=True)
class Definition:
    """Scripts in their order, the sessions that they run in, and the job's deadline.

    A `Resume` may replace it. Raises InvalidJob where these do not make a job.
    """

    scripts: tuple[Script, ...]
    sessions: tuple[Session, ...] = (Session(),)
    deadline_seconds: float | None = None

    def __post_init__(self) -> None:
        check(self.scripts, self.sessions)
