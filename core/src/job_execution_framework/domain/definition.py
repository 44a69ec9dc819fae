"""The definition of a job: its scripts and sessions, without its events and states."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from job_execution_framework.domain.script import Script, Session, check
from job_execution_framework.domain.secret import shown

Arguments = Mapping[str, Mapping[str, object]]
"""For each script its arguments as people may see them."""


def shown_arguments(scripts: Iterable[Script]) -> Arguments:
    """Return the arguments of scripts, with secrets hidden and long values cut."""
    return {script.name: shown(script.parameters) for script in scripts}


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
