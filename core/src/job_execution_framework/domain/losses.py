"""The runs that a session lost; `Job` keeps them for each session."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from job_execution_framework.domain.cause import Cause
from job_execution_framework.domain.row import Row, ScriptState
from job_execution_framework.domain.script import Script, Session


@dataclass(frozen=True)
class Losses:
    """How many runs a session lost, why the last of them, and when."""

    count: int
    cause: Cause
    at: float

    def exceed(self, session: Session) -> bool:
        """Whether more runs were lost than the session's `retry_lost` allows to replace."""
        return self.count > session.retry_lost


def interrupted_script(
    scripts: Iterable[Script], rows: Mapping[str, Row], session: str
) -> str | None:
    """Return the script that a lost session interrupted, if possible one that had begun."""
    interrupted = [
        script.name
        for script in scripts
        if script.session == session and rows[script.name].state is ScriptState.INTERRUPTED
    ]
    return min(interrupted, key=lambda name: rows[name].latest.started_at is None, default=None)
