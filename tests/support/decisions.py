"""All decisions of a job, so that two jobs can be compared by them."""

from __future__ import annotations

from job_execution_framework.domain.actions import Action, Cancel, Pause, Resume, Retry, Skip
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.control import control_of
from job_execution_framework.domain.forecast import Forecast, forecast
from job_execution_framework.domain.job import Job
from job_execution_framework.service_layer import services
from job_execution_framework.service_layer.observations import Ended, Observations, unknown_outcomes

ACTIONS: dict[str, Action] = {
    "resume": Resume(),
    "again": Resume(from_script="a"),
    "known": Resume(action_id="a1"),
    "pause": Pause(),
    "retry": Retry(),
    "skip": Skip(script="b"),
    "cancel": Cancel(),
}
LOST = Ended(log_is_complete=False, cause=Cause(Reason.SESSION_LOST, "it is gone"))


def decisions(job: Job, now: float) -> list[object]:
    """Return what the job decides now, later, and after the loss of its session."""
    lost = job.copy()
    return [
        [job.next(at) for at in (now, now + 30, now + 1000)],
        [script.name for script in job.to_come()],
        [(entry.script.name, entry.fate, _why(job, entry)) for entry in forecast(job)],
        [unknown_outcomes(job, log_is_complete=complete) for complete in (True, False)],
        services.reconcile(lost, Observations(ended=LOST), now),
        {name: (row.state, row.attempt, row.done, row.succeeded) for name, row in job.rows.items()},
        job.finished,
        control_of(job),
        (job.suspended, job.paused and job.paused.after, job.acted, type(job.closing), job.again),
        {verb: job.why_not(action) for verb, action in ACTIONS.items()},
    ]


def _why(job: Job, entry: Forecast) -> str:
    """Return why, with the reason of a failure: a status knows only of one what was raised."""
    cause = job.rows[entry.script.name].latest.cause
    if cause and cause.error and entry.why.endswith(f": {cause.error}"):
        return entry.why.removesuffix(cause.error) + cause.reason
    return entry.why
