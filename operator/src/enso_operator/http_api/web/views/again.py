"""Which scripts run again before a retry that needs a new session; `standing` asks it."""

from __future__ import annotations

from collections.abc import Iterator

from job_execution_framework.domain.forecast import Fate, forecast
from job_execution_framework.domain.job import Job


def runs_again_before(job: Job, retried: str) -> Iterator[str]:
    """Yield the scripts that run again before the one that is retried."""
    for one in forecast(job):
        if one.script.name == retried:
            return
        if one.fate is Fate.RUNS_AGAIN:
            yield one.script.name
