"""What a job is made of, apart from what happened to it. A `Resume` may bring another one."""

from __future__ import annotations

from dataclasses import dataclass

from job_execution_framework.domain.script import Script, Session, check


@dataclass(frozen=True)
class Definition:
    """Scripts in their order, and the sessions that they run in.

    Raises InvalidJob where they do not make a job.
    """

    scripts: tuple[Script, ...]
    sessions: tuple[Session, ...] = (Session(),)
    deadline_seconds: float | None = None

    def __post_init__(self) -> None:
        check(self.scripts, self.sessions)
