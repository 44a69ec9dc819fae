"""What can be asked of jobs: add one, execute it, resume it, and fold what its sessions did.

Each service loads and saves through a unit of work. A user's script that fails raises nothing:
its failure is in the job's events.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from job_execution_framework.domain import checkpoint, events
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.errors import (
    Conflict,
    InvalidJob,
    InvalidResume,
    JobAlreadyStarted,
)
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.row import ScriptState
from job_execution_framework.domain.script import LibraryScript, Script, Session, step_names
from job_execution_framework.domain.steps import Finish, Start, Step, Wait
from job_execution_framework.domain.transitions import ENDED, JobState
from job_execution_framework.domain.values import is_list, is_mapping
from job_execution_framework.service_layer.clock import Clock, SystemClock
from job_execution_framework.service_layer.in_process import InProcessRunner
from job_execution_framework.service_layer.observations import Observations, Outcome, doubtful
from job_execution_framework.service_layer.runner import Runner
from job_execution_framework.service_layer.unit_of_work import JobUnitOfWork

LONGEST_NAP_SECONDS = 0.25
"""How long a pause between two attempts may be blind to a word from outside."""

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
    """Turn instructions into scripts, deriving the names of steps from the library's names."""
    given = [one if isinstance(one, Script) else _pair(one) for one in instructions]
    names = iter(step_names(one[0] for one in given if not isinstance(one, Script)))
    return tuple(
        one if isinstance(one, Script) else Script(next(names), LibraryScript(one[0]), one[1])
        for one in given
    )


def _pair(instruction: object) -> tuple[str, dict[str, object]]:
    """Check what a type cannot promise: instructions come from files, too."""
    if is_list(instruction) and len(instruction) == 2:  # noqa: PLR2004  # a name and parameters
        name, parameters = instruction
        if isinstance(name, str) and name and is_mapping(parameters):
            return name, {str(key): value for key, value in parameters.items()}
    raise InvalidJob(f"instruction {instruction!r} is not a script's name and its parameters")


def execute(
    job_id: str,
    *,
    job_uow: JobUnitOfWork,
    runner: Runner | None = None,
    clock: Clock | None = None,
) -> None:
    """Run the job's scripts one after the other, here, until it ends or a script fails.

    Each start is committed before it happens and each outcome after it. Raises JobNotFound for an
    unknown job, JobAlreadyStarted for a second execution, InvalidJob where the runner cannot do
    what a script asks. Ctrl-C fails the script that runs and cancels the job, and KeyboardInterrupt
    is raised. Where anything else of ours breaks, what was not committed is rolled back, a script
    that had begun is Interrupted, and the error is raised.
    """
    runner, clock = runner or InProcessRunner(), clock or SystemClock()
    with job_uow:
        job = job_uow.jobs.get(job_id)
        whole = job.may_start is None
        runner.check([s for s in job.scripts if job.may_start is None or s.name in job.may_start])
        if whole:
            _start(job, job_uow, clock.now())
        try:
            step = _run_all(job, job_uow, runner, clock)
        except BaseException as error:
            job_uow.rollback()
            if whole:
                _say_doubt(job_uow.jobs.get(job_id), error, clock.now())
                job_uow.commit()
            raise
        if isinstance(step, Finish) and whole:
            _finish(job, step, clock.now())
            job_uow.commit()


def _run_all(job: Job, job_uow: JobUnitOfWork, runner: Runner, clock: Clock) -> Step:
    """Start one script after the other; return the step that ends it."""
    step: Step = Wait()
    while not runner.stopping:
        step = job.next(clock.now())
        if isinstance(step, Start):
            _run(job, step, job_uow, runner, clock)
        elif isinstance(step, Wait) and step.until is not None:
            clock.sleep(max(0, min(step.until - clock.now(), LONGEST_NAP_SECONDS)))
        else:
            break
    return step


def _say_doubt(job: Job, error: BaseException, now: float) -> None:
    """End a job whose runner broke: it can be resumed, and nobody waits for it for ever."""
    is_stopped = isinstance(error, KeyboardInterrupt)
    broke = Cause(Reason.SESSION_LOST, f"enso itself broke: {type(error).__name__}")
    cause = Cause(Reason.CANCELLED, "KeyboardInterrupt") if is_stopped else broke
    at = ""
    for name, row in job.rows.items():
        if row.state is ScriptState.RUNNING:
            at = name
            job.record(
                job.script_event(events.ScriptInterrupted, name, row.attempt, now, cause=cause)
            )
    if is_stopped:
        job.record(events.JobCancelled(at=now, why=cause.message))
    else:
        job.record(events.JobFailed(at=now, cause=cause, script=at))


def _start(job: Job, job_uow: JobUnitOfWork, now: float) -> None:
    """Let the job go: whoever commits this first is the one that runs it."""
    if job.state is JobState.WAITING:
        job.record(events.JobStarted(at=now))
    elif job.state is not JobState.RUNNING or not isinstance(job.events[-1], events.JobResumed):
        raise JobAlreadyStarted(
            f"job {job.id} is {job.state} and is executed only once; resume it instead"
        )
    job.may_start = frozenset(job.rows)
    try:
        job_uow.commit()
    except Conflict as conflict:
        raise JobAlreadyStarted(
            f"job {job.id} was started by somebody else at the same moment"
        ) from conflict


def _run(job: Job, step: Start, job_uow: JobUnitOfWork, runner: Runner, clock: Clock) -> None:
    script = job.script(step.script)

    def about(kind: type[events.ScriptEvent], **details: object) -> None:
        job.record(job.script_event(kind, script.name, step.attempt, clock.now(), **details))

    about(events.ScriptStarted, output_begins=runner.announce(script, step.attempt))
    job_uow.commit()
    result = runner.run(script, step.attempt)
    took = {"seconds": result.seconds, "output_ends": result.output_ends}
    if result.cause is None:
        about(events.ScriptSucceeded, output=result.output, **took)
    else:
        about(events.ScriptFailed, cause=result.cause, **took)
    if result.interpreter_lost:
        job.record(events.InterpreterLost(at=clock.now()))
    failed = result.cause and not result.interrupted and not runner.stopping
    if failed and not job.rows[script.name].failed_for_good(script.retries):
        about(events.ScriptRetrying, after_seconds=script.retries.backoff_seconds)
    job_uow.commit()
    if result.interrupted:
        raise KeyboardInterrupt


def _finish(job: Job, step: Finish, now: float) -> None:
    if step.cause:
        job.record(events.JobFailed(at=now, cause=step.cause, script=step.script))
    else:
        job.record(events.JobSucceeded(at=now))


def resume(
    job_id: str,
    *,
    job_uow: JobUnitOfWork,
    from_script: str = "",
    changed: Sequence[str] = (),
    by: str = "",
    clock: Clock | None = None,
) -> None:
    """Let a job that ended go on, as the checkpoint rule says, or explicitly from a script on.

    Raises InvalidResume where the job has not ended or the rules do not allow it.
    """
    with job_uow:
        job = job_uow.jobs.get(job_id)
        check_resume(job, from_script)
        at = (clock or SystemClock()).now()
        job.record(events.JobResumed(at=at, from_script=from_script, changed=tuple(changed), by=by))
        job_uow.commit()


def check_resume(job: Job, from_script: str = "") -> None:
    """Raise InvalidResume, with a sentence, where the job cannot be resumed so."""
    names, why = list(job.rows), ""
    undone = checkpoint.first_undone(job.scripts, job.rows)
    if not job.finished:
        why = f"is {job.state}: only a job that has ended can be resumed"
    elif from_script and from_script not in names:
        why = f"has no script {from_script!r}; it has {', '.join(names)}"
    elif not undone and not from_script and job.state is JobState.SUCCEEDED:
        why = "has nothing left to do; name the script to run again from"
    elif undone and from_script and names.index(from_script) > names.index(undone.name):
        gap = f"{undone.name!r} before it is not done; resume there, or skip it first"
        why = f"cannot go on at {from_script!r}, because {gap}"
    if why:
        raise InvalidResume(f"job {job.id} {why}")


def reconcile(job: Job, seen: Observations, now: float) -> Step:
    """Fold what was seen of the job's session and of its user's wishes; return what to do next.

    Pure: the caller does what the step says, after it committed the job.
    """
    if not seen.run or (job.open_run and job.open_run.run == seen.run):
        _fold(job, seen, now)
    _obey(job, seen, now)
    if job.state is JobState.WAITING:
        job.record(events.JobStarted(at=now))
    step = job.next(now)
    if isinstance(step, Finish):
        _finish(job, _told_why(step, seen.waits), now)
        step = job.next(now)
    return step


def _told_why(step: Finish, waits: Cause | None) -> Finish:
    """Say of a job that took too long what it waited for."""
    if not waits or not step.cause or step.cause.reason != Reason.DEADLINE_EXCEEDED:
        return step
    message = f"{step.cause.message}; it waited: {waits}"
    return replace(step, cause=replace(step.cause, message=message))


def _fold(job: Job, seen: Observations, now: float) -> None:
    """Take in what is known of the open session, and what nobody can know any more."""
    for event in seen.records:
        job.apply(event)
    if job.open_run and seen.ended:
        for outcome in seen.ended.outcomes:
            _catch_up(job, outcome, now)
        cause = seen.ended.cause
        if cause and cause.reason == Reason.OUT_OF_MEMORY and _fail_running(job, cause, now):
            cause = None  # that is known, and no loss
        for name, attempt in doubtful(job, log_is_complete=seen.ended.log_is_complete):
            cause = seen.ended.doubt()  # whoever leaves a doubt did not end in order
            job.record(job.script_event(events.ScriptInterrupted, name, attempt, now, cause=cause))
        killed = seen.ended.killed
        job.record(events.SessionEnded(at=now, run=job.open_run.run, cause=cause, killed=killed))


def _catch_up(job: Job, outcome: Outcome, now: float) -> None:
    """Take in how a script stood whose records are lost, and that earlier attempts had failed."""
    name, lost = outcome.script, "its record was lost, and more is not known"
    while (row := job.rows[name]).attempt <= outcome.attempt:
        is_last = row.attempt == outcome.attempt
        if row.state is not ScriptState.RUNNING:
            if is_last:
                return
            job.record(job.script_event(events.ScriptStarted, name, row.attempt + 1, now))
        elif is_last and outcome.state is ScriptState.RUNNING:
            return
        elif is_last and outcome.state is ScriptState.SUCCEEDED:
            job.record(job.script_event(events.ScriptSucceeded, name, row.attempt, now))
        else:
            reason = outcome.reason if is_last else ""
            cause = Cause(reason or Reason.SESSION_LOST, lost)
            job.record(job.script_event(events.ScriptFailed, name, row.attempt, now, cause=cause))


def _fail_running(job: Job, cause: Cause, now: float) -> bool:
    """Fail the script that runs, if one does."""
    running = [name for name, row in job.rows.items() if row.state is ScriptState.RUNNING]
    for name in running:
        job.record(
            job.script_event(events.ScriptFailed, name, job.rows[name].attempt, now, cause=cause)
        )
    return bool(running)


def _obey(job: Job, seen: Observations, now: float) -> None:
    """Record what the user wants now, where it is not so already."""
    if job.state in ENDED:
        return
    if seen.cancel:
        job.record(events.JobCancelled(at=now, by=seen.cancel.by, why=seen.cancel.why))
    elif seen.broken:
        job.record(events.JobFailed(at=now, cause=seen.broken))
    elif seen.suspend and job.state is not JobState.SUSPENDED:
        job.record(events.JobSuspended(at=now))
    elif seen.suspend is False and job.state is JobState.SUSPENDED:
        job.record(events.JobUnsuspended(at=now))
