"""The conditions of an EnsoJob: the state that people and their tools wait for.

`Succeeded` has the state as its reason and `Finished` is true once nothing more will happen; the
others are what Flux and Argo CD ask. All five are there from the first sight on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from enso_operator.api.status import Condition, EnsoJobStatus
from enso_operator.kube.status.fields import one_line, time_at
from job_execution_framework.domain.cause import LONGEST_MESSAGE, Cause, Reason, printable
from job_execution_framework.domain.events import JobCancelled
from job_execution_framework.domain.failure_card import FailureCard
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.row import ScriptState
from job_execution_framework.domain.transitions import ENDED, JobState

LONGEST_ELSEWHERE = 120
"""Characters of the message that the other four conditions repeat: Succeeded has it whole."""
Kind = Literal["Succeeded", "Finished", "Ready", "Reconciling", "Stalled"]
Truth = Literal["True", "False", "Unknown"]


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
    """Return the job's five conditions; one that is as it was `before` keeps its time.

    `waits` is what keeps it from going on, if something does.
    """
    succeeded: Truth = "Unknown"
    if job.state in ENDED:
        succeeded = _truth(job.state is JobState.SUCCEEDED)
    return five_conditions(
        succeeded,
        Common(
            time_at(job.events[-1].at if job.events else 0),
            generation,
            str(shown_state(job)),
            card.line if card else _message(job, before, waits),
        ),
        before,
        finished=job.finished,
    )


def shown_state(job: Job) -> JobState:
    """Return the state that people read: it runs while a session of it has begun."""
    if job.state is JobState.RUNNING and not (job.open_run and job.cursors.get(job.open_run.run)):
        return JobState.WAITING
    return job.state


def state_in(status: EnsoJobStatus) -> JobState | None:
    """Return the job's state as a status says it, None where nobody has looked at the job yet."""
    succeeded = _succeeded(status)
    said = succeeded.reason if succeeded else None
    has_started = status.start_time is not None
    if said == JobState.WAITING and has_started:  # it runs, and waits for its session
        return JobState.RUNNING
    return None if said is None else JobState(said)


def card_in(status: EnsoJobStatus) -> FailureCard | None:
    """Return the failure card that a status shows, None where it shows none."""
    if not status.why:
        return None
    succeeded = _succeeded(status)
    return FailureCard(succeeded.message if succeeded else "", tuple(status.why))


def _succeeded(status: EnsoJobStatus) -> Condition | None:
    """Return the condition that has the job's state as its reason."""
    found = (condition for condition in status.conditions or () if condition.type == "Succeeded")
    return next(found, None)


def refused(why: str, generation: int, before: EnsoJobStatus, at: float) -> EnsoJobStatus:
    """Return the status of a resource that makes no job, and never will: its spec is immutable."""
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


def five_conditions(
    succeeded: Truth, said: Common, before: Sequence[Condition], *, finished: bool
) -> list[Condition]:
    """Return the five conditions of a job or an action."""
    truths: dict[Kind, Truth] = {
        "Succeeded": succeeded,
        "Finished": _truth(finished),
        "Ready": _truth(finished and succeeded == "True"),
        "Reconciling": _truth(not finished),
        "Stalled": _truth(finished and succeeded != "True"),
    }
    since = {
        (condition.type, condition.status): condition.last_transition_time for condition in before
    }
    short = printable(said.message, LONGEST_ELSEWHERE)
    return [
        Condition(
            type=kind,
            status=truth,
            observed_generation=said.generation,
            last_transition_time=since.get((kind, truth), said.at),
            reason=said.reason,
            message=said.message if kind == "Succeeded" else short,
        )
        for kind, truth in truths.items()
    ]


def _truth(value: bool) -> Truth:  # noqa: FBT001  # it is what it is about
    return "True" if value else "False"


def _message(job: Job, before: Sequence[Condition], waits: Cause | None) -> str:
    total, done = len(job.rows), sum(row.done for row in job.rows.values())
    if job.state is JobState.CANCELLED:
        return _cancelled(job, before)
    if job.state is JobState.SUCCEEDED:
        return f"{total} of {total} scripts are done"
    for position, (name, row) in enumerate(job.rows.items(), start=1):
        if row.state is ScriptState.RUNNING:
            verb = "may still run" if waits and waits.reason == Reason.SESSION_LOST else "runs"
            runs = f"{name} ({position} of {total}) {verb}, attempt {row.attempt}"
            return one_line(f"{runs}; {_whole(waits)}" if waits else runs)
    if job.state is JobState.SUSPENDED and job.paused:
        held = "paused, and suspended by its spec" if job.suspended else "paused"
        return f"{held}; {done} of {total} scripts are done"
    if waits:
        return one_line(f"{job.open_run.run if job.open_run else 'the job'} waits: {_whole(waits)}")
    return f"{done} of {total} scripts are done"


def _whole(cause: Cause) -> str:
    return cause.on_one_line(LONGEST_MESSAGE)


def _cancelled(job: Job, before: Sequence[Condition]) -> str:
    """Say who cancelled it, and why; a restored job does not know, but its condition said it."""
    said = next(
        (condition.message for condition in before if condition.reason == JobState.CANCELLED), ""
    )
    told = [event.details() for event in job.events if isinstance(event, JobCancelled)]
    return said or one_line(
        ": ".join(["cancelled", *(details for details in told[-1:] if details)])
    )
