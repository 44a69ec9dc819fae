"""The retries of a script in a status: those used up, and the one that its job waits for.

Reasons may be long, and a job has a hundred scripts: their failures are numbers in the order of
`retries.onReasons`, and behind them one for what is not retried, where a script failed for that.
"""

from __future__ import annotations

from enso_operator.api.status import ScriptStatus
from enso_operator.kube.status.fields import short, time_at
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.control import retrying
from job_execution_framework.domain.events import took
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.retries import LONG_PAUSE_SECONDS, Retries, Spent
from job_execution_framework.domain.row import Row, ScriptState
from job_execution_framework.domain.script import Script
from job_execution_framework.domain.transitions import JobState


def reason_failures(row: Row, retries: Retries) -> list[int] | None:
    """Return how many failures count for each of the reasons; None where none does."""
    failures = {spent.reason: spent.failures for spent in row.spent}
    counts = [failures.get(budget.reason, 0) for budget in retries.of_reasons]
    last = max((place for place, count in enumerate(counts, 1) if count), default=0)
    # No more than needed: a CRD of before has room for fewer that are not retried.
    return counts[: max(last, len(retries.on_reasons))] if last else None


def last_budget(row: Row, retries: Retries) -> int | None:
    """Return the place, from 1, of the reason for which the last failure counts."""
    reasons = [budget.reason for budget in retries.of_reasons]
    return reasons.index(row.budget) + 1 if row.budget in reasons else None


def spent_in(row: ScriptStatus, retries: Retries) -> tuple[Spent, ...]:
    """Return the failures that `reason_failures` has written."""
    if not row.reason_failures:
        return ()
    counted = zip(retries.of_reasons, row.reason_failures, strict=False)
    spent = [Spent(budget.reason, failures) for budget, failures in counted if failures]
    return tuple(sorted(spent, key=lambda one: one.reason))


def budget_in(row: ScriptStatus, retries: Retries) -> str:
    """Return the reason that `last_budget` has written."""
    if row.last_reason is None:
        return ""
    place, reasons = row.last_reason - 1, [budget.reason for budget in retries.of_reasons]
    return reasons[place] if 0 <= place < len(reasons) else ""


def retrying_script(job: Job) -> Script | None:
    """Return the script that waits for its next attempt; also a finally script."""
    script = job.goal if job.cleans_up else None
    if job.state is JobState.RUNNING:
        script = retrying(job)
    if script is None:
        return None
    row = job.rows[script.name]
    if row.state is not ScriptState.FAILED or not row.failures:  # those of before a resume
        return None
    is_at_once = not row.pause(script.retries)
    return None if job.open_run and is_at_once else script  # its session starts it


def awaited_retry(job: Job) -> Cause | None:
    """Return which attempt a job waits for, until when, and why; None where it waits for none."""
    script = retrying_script(job)
    if script is None:
        return None
    row = job.rows[script.name]
    cause = row.latest.cause or Cause(Reason.SESSION_LOST)
    starts = f"attempt {row.attempt + 1} of {script.name} starts {_when(job, row, script.retries)}"
    which = row.next_retry(script.retries)
    return Cause(cause.reason, f"{starts}, {which}; attempt {row.attempt} failed: {_why(cause)}")


def _when(job: Job, row: Row, retries: Retries) -> str:
    """Return when the next attempt starts, in words that stay true while time passes."""
    pause = row.pause(retries)
    if job.open_run and pause >= LONG_PAUSE_SECONDS:
        return f"{took(pause)} after {job.open_run.run} has ended"
    at = retry_time(job, row, retries)
    return f"at {time_at(at):%Y-%m-%dT%H:%M:%SZ}" if at else "as soon as its session runs"


def retry_time(job: Job, row: Row, retries: Retries) -> float | None:
    """Return when the next attempt may start; None where nothing but a session is awaited."""
    if job.open_run and row.pause(retries) >= LONG_PAUSE_SECONDS:
        return None
    return row.may_start_at(retries, None if job.open_run else job.run_ended_at) or None


def _why(cause: Cause) -> str:
    """Return reason and message; of an exception its type, which a restored message begins with."""
    is_exception = cause.error or cause.reason == Reason.EXCEPTION
    return ": ".join(filter(None, ["" if is_exception else cause.reason, short(cause)]))
