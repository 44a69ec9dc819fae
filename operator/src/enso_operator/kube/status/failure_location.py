"""Where a job failed, in its card: its finally scripts have sessions of their own after that."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from enso_operator.api.status import EnsoJobStatus
from enso_operator.coordinator.session_location import SessionLocation
from enso_operator.kube.status.fields import time_of
from job_execution_framework.domain.cause import Reason
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import Container

_LABEL = 8
"""Characters of a label in a card, with the spaces behind it."""


def failure_location(job: Job, before: EnsoJobStatus, location: SessionLocation) -> SessionLocation:
    """Return where to look for the failure: `location`, until a finally script has begun.

    Then that is where the finally scripts run, and the card in the status before still says it.
    A container that lacked an output has had no Pod: `location` is that of a session before it.
    """
    failed = job.failure
    if failed and failed.cause.reason == Reason.NO_OUTPUT and _is_container(job, failed.script):
        return replace(location, on="", log="")
    if failed is None or not before.why or before.failure is None:
        return location
    is_told = before.failure.time == time_of(failed.at)
    is_final = failed.script and job.script(failed.script).is_final
    if not is_told or is_final or not _cleans_up_since(job, failed.at):
        return location
    return replace(location, on=_labelled("on", before.why), log=_labelled("log", before.why))


def _is_container(job: Job, script: str) -> bool:
    return script in job.rows and isinstance(job.script(script).work, Container)


def _cleans_up_since(job: Job, at: float) -> bool:
    began = (job.rows[script.name].latest.started_at for script in job.finals)
    return job.runs_finally or any(start is not None and start >= at for start in began)


def _labelled(label: str, card: Iterable[str]) -> str:
    begin = f"{label:<{_LABEL}}"
    return next((line.removeprefix(begin) for line in card if line.startswith(begin)), "")
