"""What `services.reconcile` records of a session: of one that has ended, or that cannot begin."""

from __future__ import annotations

from job_execution_framework.domain import events, outputs
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.errors import NoOutput
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.row import ScriptState
from job_execution_framework.domain.script import Container
from job_execution_framework.domain.steps import Open, Step
from job_execution_framework.domain.transitions import JobState
from job_execution_framework.service_layer.handing_on import cause_of
from job_execution_framework.service_layer.observations import (
    LONGEST_REASON,
    Observations,
    Outcome,
    unknown_outcomes,
)


def record_session(job: Job, seen: Observations, now: float) -> None:
    """Apply the records of the open session; once it has ended, record unknown outcomes."""
    for event in seen.records:
        job.apply(event)
    if job.open_run and seen.ended:
        for outcome in seen.ended.outcomes:
            _record_outcome(job, outcome, now)
        cause = seen.ended.cause
        if cause and cause.reason == Reason.OUT_OF_MEMORY and _fail_running(job, cause, now):
            cause = None  # the script failed of it, so the session does not count as lost
        for name, attempt in unknown_outcomes(job, log_is_complete=seen.ended.log_is_complete):
            cause = seen.ended.cause_of_unknown()  # an unknown outcome: the session was lost
            job.record(job.script_event(events.ScriptInterrupted, name, attempt, now, cause=cause))
        run, killed, is_final = job.open_run, seen.ended.killed, job.runs_finally
        job.record(events.SessionEnded(at=now, run=job.open_run.run, cause=cause, killed=killed))
        _record_skips(job, now)
        if cause and is_final:
            _fail_unstarted(job, run, cause, now)


def _fail_unstarted(job: Job, run: events.SessionOpened, cause: Cause, now: float) -> None:
    """Let a finally script fail whose session was lost before it began, and is not replaced."""
    goal, lost = job.goal, job.lost.get(run.session)
    if goal and goal.name in run.scripts and lost and lost.exceed(job.session(run.session)):
        fail_attempt(job, goal.name, cause, now)


def fail_attempt(job: Job, script: str, cause: Cause, now: float) -> None:
    """Record an attempt that failed as its session could not be opened."""
    attempt = job.rows[script].attempt + 1
    job.record(job.script_event(events.ScriptStarted, script, attempt, now))
    job.record(job.script_event(events.ScriptFailed, script, attempt, now, cause=cause))


def _record_skips(job: Job, now: float) -> None:
    """Skip scripts that the ended session was asked to skip and did not reach."""
    for name, row in job.rows.items():
        if row.skip_requested and not job.is_done(name) and job.state is not JobState.SUCCEEDED:
            job.record(job.script_event(events.ScriptSkipped, name, row.attempt, now))


def _record_outcome(job: Job, outcome: Outcome, now: float) -> None:
    """Record the known state of a script whose records are lost; its earlier attempts failed."""
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
            known = job.script(name).retries.completed(outcome.reason, LONGEST_REASON)
            reason = known if is_last else ""
            cause = Cause(reason or Reason.SESSION_LOST, lost)
            job.record(job.script_event(events.ScriptFailed, name, row.attempt, now, cause=cause))


def _fail_running(job: Job, cause: Cause, now: float) -> bool:
    """Record that the running script failed with `cause`; return whether one was running."""
    running = [name for name, row in job.rows.items() if row.state is ScriptState.RUNNING]
    for name in running:
        job.record(
            job.script_event(events.ScriptFailed, name, job.rows[name].attempt, now, cause=cause)
        )
    return bool(running)


def next_step(job: Job, now: float) -> Step:
    """Return the job's next step; a container script that lacks an output fails before that.

    A container has no supervisor that could fail it: whoever opens its session does.
    """
    step = job.next(now)
    while isinstance(step, Open) and (cause := _why_not_opened(job, step)):
        fail_attempt(job, step.scripts[0], cause, now)
        step = job.next(now)
    return step


def _why_not_opened(job: Job, step: Open) -> Cause | None:
    script = job.script(step.scripts[0])
    if not isinstance(script.work, Container):
        return None
    try:
        outputs.handed(script.parameters, job.outputs)
    except NoOutput as error:
        return cause_of(error)
    return None
