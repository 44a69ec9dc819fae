"""What can be done with a job: `add` it, `execute` it, `act` on it, `reconcile` it.

Whoever stores jobs calls `add` and `act`; `resume` is a short form of one action. `execute` runs
the scripts one after the other and returns when the job has ended: users of this package call it,
with a unit of work in memory, and so does the supervisor inside each session, with a journal.
`reconcile` is for a coordinator, which runs no script itself: it opens sessions for the scripts,
observes these sessions, and calls `reconcile` for the next step (`enso_operator.coordinator`).

All but `reconcile` load and save the job through a unit of work. The rules are the job's own
(`domain.job`). A user's script that fails raises nothing here: its failure is one of the job's
events.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from job_execution_framework.domain import events
from job_execution_framework.domain.actions import Action, Resume
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.errors import InvalidJob
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import LibraryScript, Script, Session, step_names
from job_execution_framework.domain.steps import Finish, Open, Step
from job_execution_framework.domain.transitions import ENDED, JobState
from job_execution_framework.domain.values import is_list, is_mapping
from job_execution_framework.service_layer import recording
from job_execution_framework.service_layer.clock import Clock, SystemClock
from job_execution_framework.service_layer.execution import execute, finish
from job_execution_framework.service_layer.observations import Observations
from job_execution_framework.service_layer.unit_of_work import JobUnitOfWork

__all__ = [
    "Instruction",
    "act",
    "add",
    "execute",
    "fail_to_open",
    "reconcile",
    "resume",
    "scripts_of",
]

Instruction = tuple[str, Mapping[str, object]] | Script
"""A library script's name and its parameters, or a whole script."""


def add(
    instructions: Iterable[Instruction],
    *,
    job_uow: JobUnitOfWork,
    job_id: str = "",
    sessions: Sequence[Session] = (Session(),),
    deadline_seconds: float | None = None,
    clock: Clock | None = None,
) -> str:
    """Add a job and return its id, a new one where none is given.

    Raises InvalidJob where the instructions do not make a job, Conflict where the id is taken.
    """
    job_id = job_id or f"job-{os.urandom(6).hex()}"
    job = Job(job_id, scripts_of(instructions), tuple(sessions), deadline_seconds)
    with job_uow:
        at = (clock or SystemClock()).now()
        job.record(events.JobAdded(at=at, scripts=tuple(job.rows)))
        job_uow.jobs.add(job)
        job_uow.commit()
    return job_id


def scripts_of(instructions: Iterable[Instruction]) -> tuple[Script, ...]:
    """Turn instructions into scripts; their names are made from the names of library scripts."""
    checked = [item if isinstance(item, Script) else _checked(item) for item in instructions]
    names = iter(step_names(item[0] for item in checked if not isinstance(item, Script)))
    return tuple(
        item if isinstance(item, Script) else Script(next(names), LibraryScript(item[0]), item[1])
        for item in checked
    )


def _checked(instruction: object) -> tuple[str, dict[str, object]]:
    """Return the name and the parameters; check types at run time, as they may be from a file."""
    if is_list(instruction) and len(instruction) == 2:  # noqa: PLR2004  # a name and parameters
        name, parameters = instruction
        if isinstance(name, str) and name and is_mapping(parameters):
            return name, {str(key): value for key, value in parameters.items()}
    raise InvalidJob(f"instruction {instruction!r} is not a script's name and its parameters")


def act(job_id: str, action: Action, *, job_uow: JobUnitOfWork, clock: Clock | None = None) -> None:
    """Do an action on a job (`domain.actions`) and commit it.

    Raises JobNotFound, InvalidAction with a sentence where the action is not possible now, and
    Conflict where somebody else changed the job meanwhile.
    """
    with job_uow:
        job_uow.jobs.get(job_id).obey(action, (clock or SystemClock()).now())
        job_uow.commit()


def resume(
    job_id: str,
    *,
    job_uow: JobUnitOfWork,
    from_script: str = "",
    by: str = "",
    clock: Clock | None = None,
) -> None:
    """Continue a job that has ended or was paused: `act` with a `Resume`."""
    act(job_id, Resume(from_script=from_script, by=by), job_uow=job_uow, clock=clock)


def reconcile(job: Job, seen: Observations, now: float) -> Step:
    """Record what was observed of the job's session; return the next step.

    Without I/O: only `job` is changed. The caller commits the job, then does the step.
    """
    if not seen.run or (job.open_run and job.open_run.run == seen.run):
        recording.record_session(job, seen, now)
    if seen.broken and job.state not in ENDED:
        job.record(events.JobFailed(at=now, cause=seen.broken))
    if job.paused and job.paused.after and job.is_over(job.paused.after):
        job.record(events.JobPaused(at=now))
    if job.state is JobState.WAITING:
        job.record(events.JobStarted(at=now))
    step = recording.next_step(job, now)
    if isinstance(step, Finish):
        finish(job, _with_obstacle(step, seen.waits), now)
        step = job.next(now)
    return step


def _with_obstacle(step: Finish, waits: Cause | None) -> Finish:
    """Add what the job waited for to the message of a missed deadline."""
    if not waits or not step.cause or step.cause.reason != Reason.DEADLINE_EXCEEDED:
        return step
    message = f"{step.cause.message}; it waited: {waits}"
    return replace(step, cause=replace(step.cause, message=message))


def fail_to_open(job: Job, step: Open, cause: Cause, now: float) -> Step:
    """Record that a session cannot be opened; return the next step.

    The job fails for it, or the finally script that was to run there.
    """
    if job.state in ENDED:
        recording.fail_attempt(job, step.scripts[0], cause, now)
    else:
        job.record(events.JobFailed(at=now, cause=cause))
    return reconcile(job, Observations(), now)
