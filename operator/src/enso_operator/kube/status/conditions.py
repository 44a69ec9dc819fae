"""The conditions in the status of an EnsoJob: its state, for people and for tools that wait.

`write.py` computes them for every commit. The reason of `Succeeded` is the job's state. `Finished`
is true once nothing more will happen by itself. `Ready`, `Reconciling` and `Stalled` are what Flux
and Argo CD evaluate. The first status that is written has all five.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from enso_operator.api.status import Condition, EnsoJobStatus
from enso_operator.kube.status.fields import one_line, time_at
from enso_operator.kube.status.retries import awaited_retry
from job_execution_framework.domain.cause import LONGEST_MESSAGE, Cause, Reason, printable
from job_execution_framework.domain.events import JobCancelled
from job_execution_framework.domain.failure_card import FailureCard
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.row import ScriptState
from job_execution_framework.domain.transitions import ENDED, JobState

LONGEST_SHORT_MESSAGE = 120
"""Characters of the message in the other four conditions; `Succeeded` has the whole message."""
ConditionType = Literal["Succeeded", "Finished", "Ready", "Reconciling", "Stalled"]
ConditionStatus = Literal["True", "False", "Unknown"]


@dataclass(frozen=True)
class Common:
    """The fields that all five conditions have in common."""

    at: datetime
    generation: int
    reason: str
    message: str


def conditions(
    job: Job,
    card: FailureCard | None,
    generation: int,
    before: Sequence[Condition],
    waits: Cause | None = None,
) -> list[Condition]:
    """Return the job's five conditions; one whose status is as it was `before` keeps its time.

    `waits` is the cause for which the job waits, if it waits.
    """
    succeeded: ConditionStatus = "Unknown"
    if job.state in ENDED:
        succeeded = _condition_status(job.state is JobState.SUCCEEDED)
        if job.state is JobState.SUCCEEDED and not job.finished:  # a finally script may still fail
            succeeded = "Unknown"
    return five_conditions(
        succeeded,
        Common(
            time_at(job.events[-1].at if job.events else 0),
            generation,
            str(shown_state(job)),
            card.line if card else message_of(job, before, waits),
        ),
        before,
        finished=job.finished,
    )


def shown_state(job: Job) -> JobState:
    """Return the state that people read; a running job waits until its session has a record."""
    if job.state is JobState.RUNNING and not (job.open_run and job.cursors.get(job.open_run.run)):
        return JobState.WAITING
    return job.state


def state_in(status: EnsoJobStatus) -> JobState | None:
    """Return the job's state by its status; None before an operator has written the status."""
    succeeded = _succeeded(status)
    reason = succeeded.reason if succeeded else None
    has_started = status.start_time is not None
    if reason == JobState.WAITING and has_started:  # it runs, and waits for its session
        return JobState.RUNNING
    return None if reason is None else JobState(reason)


def card_in(status: EnsoJobStatus) -> FailureCard | None:
    """Return the failure card that a status shows, None where it shows none."""
    if not status.why:
        return None
    succeeded = _succeeded(status)
    return FailureCard(succeeded.message if succeeded else "", tuple(status.why))


def _succeeded(status: EnsoJobStatus) -> Condition | None:
    """Return the condition that has the job's state as its reason."""
    conditions = status.conditions or ()
    return next((condition for condition in conditions if condition.type == "Succeeded"), None)


def invalid_job_status(
    why: str, generation: int, before: EnsoJobStatus, at: float
) -> EnsoJobStatus:
    """Return the status of an EnsoJob whose spec is invalid; it is final: specs are immutable."""
    return EnsoJobStatus(
        observed_generation=generation,
        conditions=five_conditions(
            "False",
            Common(time_at(at), generation, str(JobState.FAILED), one_line(why)),
            before.conditions or (),
            finished=True,
        ),
        completion_time=before.completion_time or time_at(at),
        reason=Reason.INVALID_JOB,
        why=[one_line(why)],
    )


def waiting_job_status(
    waits: Cause, generation: int, before: EnsoJobStatus, at: float
) -> EnsoJobStatus:
    """Return the status of a run of a template that is not there: there are no scripts yet."""
    return EnsoJobStatus(
        observed_generation=generation,
        conditions=five_conditions(
            "Unknown",
            Common(
                time_at(at),
                generation,
                str(JobState.WAITING),
                one_line(f"the job waits: {waits.message}"),
            ),
            before.conditions or (),
            finished=False,
        ),
        reason=waits.reason,
    )


def five_conditions(
    succeeded: ConditionStatus, common: Common, before: Sequence[Condition], *, finished: bool
) -> list[Condition]:
    """Return the five conditions of a job or an action."""
    statuses: dict[ConditionType, ConditionStatus] = {
        "Succeeded": succeeded,
        "Finished": _condition_status(finished),
        "Ready": _condition_status(finished and succeeded == "True"),
        "Reconciling": _condition_status(not finished),
        "Stalled": _condition_status(finished and succeeded != "True"),
    }
    since = {
        (condition.type, condition.status): condition.last_transition_time for condition in before
    }
    short = printable(common.message, LONGEST_SHORT_MESSAGE)
    return [
        Condition(
            type=condition_type,
            status=status,
            observed_generation=common.generation,
            last_transition_time=since.get((condition_type, status), common.at),
            reason=common.reason,
            message=common.message if condition_type == "Succeeded" else short,
        )
        for condition_type, status in statuses.items()
    ]


def _condition_status(value: bool) -> ConditionStatus:  # noqa: FBT001  # the value to convert
    return "True" if value else "False"


def message_in(status: EnsoJobStatus) -> str:
    """Return the line that says how a job stands, "" before an operator has written the status."""
    succeeded = _succeeded(status)
    return succeeded.message if succeeded else ""


def message_of(job: Job, before: Sequence[Condition], waits: Cause | None) -> str:
    """Return the line that says how a job stands that has not failed: what runs, what it waits for.

    `before` are its conditions so far.
    """
    total, done = len(job.main), sum(job.rows[script.name].done for script in job.main)
    if job.state is JobState.CANCELLED:
        return _cancelled(job, before)
    if job.state is JobState.SUCCEEDED and not job.cleans_up:
        return f"{total} of {total} scripts are done"
    for name, row in job.rows.items():
        if row.state is ScriptState.RUNNING:
            verb = "may still run" if waits and waits.reason == Reason.SESSION_LOST else "runs"
            runs = f"{name} ({job.place(name)}) {verb}, attempt {row.attempt}"
            return one_line(f"{runs}; {_whole(waits)}" if waits else runs)
    if job.state is JobState.SUSPENDED and job.paused:
        held = "paused, and suspended by its spec" if job.suspended else "paused"
        return f"{held}; {done} of {total} scripts are done"
    if waits:
        who = job.open_run.run if job.open_run else "the job"
        # A retry says itself for which reason the attempt before it failed.
        why = waits.message if waits == awaited_retry(job) else _whole(waits)
        return one_line(f"{who} waits: {why}")
    return f"{done} of {total} scripts are done"


def _whole(cause: Cause) -> str:
    return cause.on_one_line(LONGEST_MESSAGE)


def _cancelled(job: Job, before: Sequence[Condition]) -> str:
    """Return who cancelled the job, and why; of a restored job only the old condition has it."""
    message = next(
        (condition.message for condition in before if condition.reason == JobState.CANCELLED), ""
    )
    details = [event.details() for event in job.events if isinstance(event, JobCancelled)]
    return message or one_line(": ".join(["cancelled", *filter(None, details[-1:])]))
