"""Runs the scripts of a job one after the other, where it is called: `services.execute`.

Users of this package call it, with a unit of work in memory, and so does the supervisor inside each
session, with a journal. That one imports this module and not `services`, whose other verbs it does
not need: their imports would delay each session.
"""

from __future__ import annotations

from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.control import SessionControl
from job_execution_framework.domain.errors import Conflict, JobAlreadyStarted
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.row import ScriptState
from job_execution_framework.domain.steps import Finish, Start, Step, Wait
from job_execution_framework.domain.transitions import JobState
from job_execution_framework.service_layer import handing_on
from job_execution_framework.service_layer.clock import Clock, SystemClock
from job_execution_framework.service_layer.in_process import InProcessRunner
from job_execution_framework.service_layer.runner import Runner
from job_execution_framework.service_layer.unit_of_work import JobUnitOfWork

LONGEST_SLEEP_SECONDS = 0.25
"""How often a wait for the next attempt checks whether somebody has changed the control."""


def execute(
    job_id: str,
    *,
    job_uow: JobUnitOfWork,
    runner: Runner | None = None,
    clock: Clock | None = None,
) -> None:
    """Run the job's scripts one after the other, here, until all are done or one has failed.

    Each start is committed before it happens, and each outcome after it. Inside a session only the
    scripts of its plan run (`Job.may_start`), and the coordinator decides how the job ends.

    Raises JobNotFound for an unknown job, JobAlreadyStarted for a second execution, and InvalidJob
    where the runner cannot do what a script asks. Ctrl-C fails the script that runs and cancels the
    job; then KeyboardInterrupt is raised. Where anything but a script breaks, uncommitted events
    are rolled back, the script that had begun becomes Interrupted, the job fails, and the error is
    raised.
    """
    runner, clock = runner or InProcessRunner(), clock or SystemClock()
    with job_uow:
        job = job_uow.jobs.get(job_id)
        is_whole_job = job.may_start is None
        # Those of a whole job are all, with its finally scripts.
        may_start = job.rows.keys() if job.may_start is None else job.may_start
        runner.check([script for script in job.scripts if script.name in may_start])
        if is_whole_job:
            _start(job, job_uow, clock.now())
        try:
            step = _run_all(job, job_uow, runner, clock)
        except BaseException as error:
            job_uow.rollback()
            if is_whole_job:
                job = job_uow.jobs.get(job_id)
                _end_after_error(job, error, clock.now())
                job_uow.commit()
                _clean_up(job, job_uow, runner, clock)
            raise
        if isinstance(step, Finish) and is_whole_job:
            finish(job, step, clock.now())
            job_uow.commit()
            _clean_up(job, job_uow, runner, clock)


def _clean_up(job: Job, job_uow: JobUnitOfWork, runner: Runner, clock: Clock) -> None:
    """Run the finally scripts of a job whose end is decided. They end, too, where enso breaks."""
    if not job.cleans_up:
        return
    runner.job_ended(job.end)
    try:
        step = _run_all(job, job_uow, runner, clock)
    except BaseException as error:
        job_uow.rollback()
        job = job_uow.jobs.get(job.id)
        cause = _cause_of(error)
        _interrupt(job, cause, clock.now())
        job.record(events.FinallyCancelled(at=clock.now(), why=str(cause)))
        job_uow.commit()
        raise
    if isinstance(step, Finish):
        finish(job, step, clock.now())
        job_uow.commit()


def _run_all(job: Job, job_uow: JobUnitOfWork, runner: Runner, clock: Clock) -> Step:
    """Start attempts and wait for retries until another step is due; return that step."""
    step: Step = Wait()
    while not _is_held(job, control := runner.control):
        _skip(job, control, job_uow, clock)
        step = job.next(clock.now())
        if isinstance(step, Wait) and step.until is not None and _is_forced(job, control):
            step = job.next(step.until)
        if isinstance(step, Start):
            _run_attempt(job, step, job_uow, runner, clock)
        elif isinstance(step, Wait) and step.until is not None:
            clock.sleep(max(0, min(step.until - clock.now(), LONGEST_SLEEP_SECONDS)))
        else:
            break
    return step


def _is_held(job: Job, control: SessionControl) -> bool:
    """Whether the control forbids to start a script now."""
    after = control.after
    return control.stops or (control.pause and after in job.rows and job.is_over(after))


def _is_forced(job: Job, control: SessionControl) -> bool:
    """Whether somebody wants the next attempt to start now, before its waiting time is over."""
    row = job.rows.get(control.retry)
    return row is not None and row.attempt == control.attempt


def _skip(job: Job, control: SessionControl, job_uow: JobUnitOfWork, clock: Clock) -> None:
    """Record skips that the control asks for, of scripts that only this process may start."""
    for name in control.skip:
        if name in (job.may_start or ()) and not job.is_done(name):
            attempt = job.rows[name].attempt
            job.record(job.script_event(events.ScriptSkipped, name, attempt, clock.now()))
            job_uow.commit()


def _end_after_error(job: Job, error: BaseException, now: float) -> None:
    """End a job whose runner raised an error, so that the job can be resumed.

    Not for a coordinator (`enso_operator.http_api.memory_backend`): that one has to record the loss
    of a session, and here there is none.
    """
    cause = _cause_of(error)
    interrupted = _interrupt(job, cause, now)
    if cause.reason == Reason.CANCELLED:
        job.record(events.JobCancelled(at=now, why=cause.message))
    else:
        job.record(events.JobFailed(at=now, cause=cause, script=interrupted))
        if job.cleans_up:  # with what has just broken
            job.record(events.FinallyCancelled(at=now, why=str(cause)))


def _cause_of(error: BaseException) -> Cause:
    if isinstance(error, KeyboardInterrupt):
        return Cause(Reason.CANCELLED, "KeyboardInterrupt")
    return Cause(Reason.SESSION_LOST, f"enso itself broke: {type(error).__name__}")


def _interrupt(job: Job, cause: Cause, now: float) -> str:
    """Record that the running script was interrupted; return its name, "" if none was running."""
    interrupted = ""
    for name, row in job.rows.items():
        if row.state is ScriptState.RUNNING:
            interrupted = name
            job.record(
                job.script_event(events.ScriptInterrupted, name, row.attempt, now, cause=cause)
            )
    return interrupted


def _start(job: Job, job_uow: JobUnitOfWork, now: float) -> None:
    """Record the job's start. Raises JobAlreadyStarted if any process has started it before."""
    if job.state is JobState.WAITING:
        job.record(events.JobStarted(at=now))
    elif job.state is not JobState.RUNNING or not isinstance(job.events[-1], events.JobResumed):
        raise JobAlreadyStarted(
            f"job {job.id} is {job.state} and is executed only once; resume it instead"
        )
    job.may_start = frozenset(script.name for script in job.main)
    try:
        job_uow.commit()
    except Conflict as conflict:
        raise JobAlreadyStarted(
            f"job {job.id} was started by somebody else at the same moment"
        ) from conflict


def _run_attempt(
    job: Job, step: Start, job_uow: JobUnitOfWork, runner: Runner, clock: Clock
) -> None:
    """Run one attempt of a script, and record whether it will be retried."""
    script = job.script(step.script)

    def record(kind: type[events.ScriptEvent], **details: object) -> None:
        job.record(job.script_event(kind, script.name, step.attempt, clock.now(), **details))

    record(events.ScriptStarted, output_begins=runner.announce(script, step.attempt))
    job_uow.commit()
    result = handing_on.run(job, script, step.attempt, runner)
    measured = {
        "seconds": result.seconds,
        "output_ends": result.output_ends,
        "output_lost": result.output_lost,
    }
    if result.cause is None:
        record(events.ScriptSucceeded, output=result.output, **measured)
    else:
        record(events.ScriptFailed, cause=result.cause, **measured)
    if result.interpreter_lost:
        job.record(events.InterpreterLost(at=clock.now()))
    failed = result.cause and not result.interrupted and not runner.control.stops
    row = job.rows[script.name]
    if failed and not row.failed_for_good(script.retries):
        budget, failures = row.budget_of(script.retries)
        record(
            events.ScriptRetrying,
            after_seconds=row.pause(script.retries),
            retry=failures,
            limit=budget.limit,
            reason=budget.reason,
        )
    job_uow.commit()
    if result.interrupted:
        raise KeyboardInterrupt


def finish(job: Job, step: Finish, now: float) -> None:
    """Record the end of the job that `step` decided."""
    if step.cause:
        job.record(events.JobFailed(at=now, cause=step.cause, script=step.script))
    else:
        job.record(events.JobSucceeded(at=now))
