"""The retries that a script has used up, as fields of its row in a status, and back.

Reasons may be long, and a job has a hundred scripts: their failures are numbers in the order of
`retries.onReasons`, and behind them one for what is not retried, where a script failed for that.
"""

from __future__ import annotations

from enso_operator.api.status import ScriptStatus
from enso_operator.kube.status.fields import short
from job_execution_framework.domain.cause import Cause
from job_execution_framework.domain.control import retrying
from job_execution_framework.domain.events import took
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.retries import Retries, Spent
from job_execution_framework.domain.row import Row
from job_execution_framework.domain.transitions import JobState


def reason_failures(row: Row, retries: Retries) -> list[int] | None:
    """Return how many failures count for each of the reasons; None where none does."""
    failures = {spent.reason: spent.failures for spent in row.spent}
    counts = [failures.get(budget.reason, 0) for budget in retries.of_reasons]
    if not any(counts[len(retries.on_reasons) :]):  # a CRD of before has room for onReasons alone
        counts = counts[: len(retries.on_reasons)]
    return counts if any(counts) else None


def last_budget(row: Row, retries: Retries) -> int | None:
    """Return the place, from 1, of the reason for which the last failure counts."""
    reasons = [budget.reason for budget in retries.of_reasons]
    return reasons.index(row.budget) + 1 if row.budget in reasons else None


def spent_in(row: ScriptStatus, retries: Retries) -> tuple[Spent, ...]:
    """Return the failures that `reason_failures` has written."""
    counted = zip(retries.of_reasons, row.reason_failures or (), strict=False)
    spent = [Spent(budget.reason, failures) for budget, failures in counted if failures]
    return tuple(sorted(spent, key=lambda one: one.reason))


def budget_in(row: ScriptStatus, retries: Retries) -> str:
    """Return the reason that `last_budget` has written."""
    place, reasons = (row.last_reason or 0) - 1, [budget.reason for budget in retries.of_reasons]
    return reasons[place] if 0 <= place < len(reasons) else ""


def pause_before_retry(job: Job) -> Cause | None:
    """Return why a job waits one of whose scripts failed and will be started again, else None."""
    script = retrying(job) if job.state is JobState.RUNNING else None
    if script is None:
        return None
    row = job.rows[script.name]
    if not (pause := row.pause(script.retries)) or row.latest.cause is None:
        return None
    again = f"{script.name} failed, and is started again {took(pause)} later"
    why = short(row.latest.cause)
    message = f"{again} ({row.next_retry(script.retries)})" + (f": {why}" if why else "")
    return Cause(row.latest.cause.reason, message)
