"""How long attempts ran, as a status keeps it: what their sessions measured.

`write` and `read` use it. The times of a status are those of records, which lie further apart, as
an interpreter may have been started between them; where they say the same, nothing is kept.
"""

from __future__ import annotations

from enso_operator.kube.status.fields import LAST_SECOND
from job_execution_framework.domain.row import Attempt, ScriptState

PLACES = 3
"""Digits behind the point: milliseconds."""


def measured(attempt: Attempt) -> float | None:
    """Return how long the script ran, where its times do not say it."""
    if attempt.state not in (ScriptState.SUCCEEDED, ScriptState.FAILED):
        return None
    seconds = round(min(max(0.0, attempt.seconds), LAST_SECOND), PLACES)  # nan becomes 0
    told = round(between(attempt.started_at, attempt.ended_at), PLACES)
    return None if seconds == told else seconds


def between(started: float | None, ended: float | None) -> float:
    """Return the seconds between two times; 0 where one is unknown."""
    return 0.0 if started is None or ended is None else max(0.0, ended - started)
