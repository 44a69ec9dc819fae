"""Restores a Job from the status of its EnsoJob; it decides as the stored Job would.

The unit of work calls it when it loads a job. The job's events are rebuilt from the status: one
for each start and outcome that the status still has, and those of the job itself. Rebuilt events
have no origin and no sequence number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from enso_operator.api.status import AttemptStatus, EnsoJobStatus, Ledger, OpenRun, ScriptStatus
from enso_operator.kube.status.conditions import state_in
from enso_operator.kube.status.durations import between
from enso_operator.kube.status.fields import cause_of, seconds_of, short
from enso_operator.kube.status.retries import budget_in, spent_in
from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.definition import Definition, shown_arguments
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.losses import Losses
from job_execution_framework.domain.outputs import Output
from job_execution_framework.domain.progress import Progress
from job_execution_framework.domain.row import Attempt, Row, ScriptState
from job_execution_framework.domain.script import Missing, Script, Session
from job_execution_framework.domain.standstill import Standstill
from job_execution_framework.domain.transitions import ENDED, JobState

_PLACEHOLDERS = ("before", "after", "beside")
"""Names for unknown sessions: at least two of them differ from the open session's name."""


def definition_in(status: EnsoJobStatus) -> Definition:
    """Return a definition that is made of a status alone: names of scripts, and the open run.

    It is enough to end a job in order whose spec was changed.
    """
    run = status.ledger and status.ledger.run
    name = run.session if run else _PLACEHOLDERS[0]
    before, after = [placeholder for placeholder in _PLACEHOLDERS if placeholder != name][:2]
    names = [row.name for row in status.scripts or ()]
    opened = [i for i, script in enumerate(names) if run and script in run.scripts]
    first, last = (opened[0], opened[-1]) if opened else (0, len(names))
    scripts = tuple(
        Script(
            script,
            Missing("its spec was changed"),
            session=before if i < first else after if i > last else name,
        )
        for i, script in enumerate(names)
    )
    return Definition(scripts, (Session(before), Session(name), Session(after)), None)


def restored(
    job: Job,
    status: EnsoJobStatus,
    added_at: float,
    definitions: Mapping[int, Definition] = MappingProxyType({}),
) -> Job:
    """Restore a newly defined job from its status; without conditions the job was just added.

    The job has its present definition; `definitions` are those of its attempts, by number.
    """
    added = events.JobAdded(at=added_at, origin=events.COORDINATOR, seq=1, scripts=tuple(job.rows))
    state = state_in(status)
    if state is None:
        job.apply(added)
        return job
    ledger = status.ledger or Ledger()
    job.state = state
    job.started_at = seconds_of(status.start_time)
    job.resumes, job.resumed_at = ledger.resumes, seconds_of(ledger.resume_time)
    job.standstill = Standstill(seconds_of(ledger.suspend_time), ledger.suspended_seconds)
    job.definition_number = number_of_definition(status)
    job.arguments = {job.definition_number: job.arguments[1]} | {
        number: shown_arguments(definition.scripts) for number, definition in definitions.items()
    }
    skipped, partial = set(ledger.skipped or ()), set(ledger.partial or ())
    for row in status.scripts or ():
        if row.name in job.rows:
            job.rows[row.name] = _row(
                job, row, status, is_skipped=row.name in skipped, is_partial=row.name in partial
            )
            job.progress = _progress(row) or job.progress
    job.finally_stopped = ledger.finally_stopped
    _restore_sessions(job, ledger)
    _restore_actions(job, ledger)
    job.failure = _job_failed(status)
    if state in ENDED:
        decided_at = status.failure.time if status.failure else None
        job.ended_at = seconds_of(status.completion_time or decided_at)
    job.events = _rebuilt_events(job, added)
    if state in ENDED and job.ended_at is None:  # its finally scripts are not over
        job.ended_at = job.events[-1].at
    if job.state is JobState.SUSPENDED and job.open_run is None:
        # The status that an earlier release wrote does not say since when the job stands still.
        job.standstill = job.standstill.begun(job.events[-1].at)
    return job


def number_of_definition(status: EnsoJobStatus) -> int:
    """Return the number of the job's present definition; 1 is the spec, or its template's."""
    return max(stored_definitions(status), default=1)


def stored_definitions(status: EnsoJobStatus) -> list[int]:
    """Return the numbers of the definitions that ControllerRevisions hold."""
    return [entry.number for entry in (status.ledger and status.ledger.definitions) or ()]


def _restore_sessions(job: Job, ledger: Ledger) -> None:
    """Restore the job's sessions."""
    job.cursors = dict(ledger.cursors or {})
    job.run_ended_at = seconds_of(ledger.run_end_time)
    for session in ledger.sessions or ():
        if session.runs:
            job.runs[session.name] = session.runs
        if session.lost:
            cause = cause_of(session.lost_by) if session.lost_by else Cause(Reason.SESSION_LOST)
            job.lost[session.name] = Losses(session.lost, cause, seconds_of(session.lost_time) or 0)
    if ledger.run:
        job.open_run, job.warm = _session_opened(ledger.run), frozenset(ledger.run.warm or ())
        job.run_definition = ledger.run.definition or 1


def _restore_actions(job: Job, ledger: Ledger) -> None:
    """Restore the actions that were applied, and those that still wait."""
    job.acted = tuple(ledger.actions or ())
    if ledger.pause:
        job.paused = events.JobPaused(at=0, after=ledger.pause.after or "")
    is_suspended = job.state is JobState.SUSPENDED
    job.suspended = ledger.suspended or (
        is_suspended and (not job.paused or bool(job.paused.after))
    )
    if closing := ledger.closing:
        job.again = frozenset(closing.again or ())
        if closing.kind:
            kind = events.JobResumed if closing.kind == "Resume" else events.JobUnpaused
            job.closing = kind(at=0)
    for name in ledger.skip_requested or ():
        if name in job.rows:
            job.rows[name] = replace(job.rows[name], skip_requested=True)
    for name in ledger.retry_forced or ():
        if name in job.rows:
            job.rows[name] = replace(job.rows[name], retry_forced=True)


def _session_opened(run: OpenRun) -> events.SessionOpened:
    return events.SessionOpened(
        at=run.open_time.timestamp(),
        run=run.name,
        session=run.session,
        uid=run.uid,
        scripts=tuple(run.scripts),
    )


def _job_failed(status: EnsoJobStatus) -> events.JobFailed | None:
    failure = status.failure
    if failure is None:
        return None
    at = seconds_of(failure.time) or 0
    return events.JobFailed(at=at, cause=cause_of(failure), script=failure.script or "")


def _row(
    job: Job, row: ScriptStatus, status: EnsoJobStatus, *, is_skipped: bool, is_partial: bool
) -> Row:
    retries = job.script(row.name).retries
    return Row(
        _attempt(job, row.name, row, _cause(row, status)),
        tuple(
            _attempt(job, row.name, attempt, _short_cause(attempt)) for attempt in row.earlier or ()
        ),
        done=row.done,
        succeeded=row.done and not is_skipped,
        failures=row.failures,
        partial=is_partial,
        output=_output(row),
        spent=spent_in(row, retries),
        budget=budget_in(row, retries),
    )


def _output(row: ScriptStatus) -> Output | None:
    return None if row.output is None else Output(row.output, row.output_attempt or row.attempt)


def _progress(row: ScriptStatus) -> Progress | None:
    """Return what the script said of its progress, if it runs; as it is then written again."""
    if row.state != ScriptState.RUNNING.value or (row.progress is None and not row.message):
        return None
    return Progress(row.name, row.attempt, row.progress, row.message or "")


def _attempt(
    job: Job, name: str, row: ScriptStatus | AttemptStatus, cause: Cause | None
) -> Attempt:
    """Return an attempt, with the arguments of the definition that it was started with."""
    definition = row.definition or 1
    started, ended = seconds_of(row.start_time), seconds_of(row.completion_time)
    state = ScriptState(row.state)
    # A finally script that waits for the next end of its job keeps the number of its last attempt.
    has_run = row.attempt and state is not ScriptState.NOT_STARTED
    arguments = job.arguments.get(definition, {}).get(name) if has_run else None
    return Attempt(
        row.attempt,
        state,
        started,
        ended,
        between(started, ended) if row.seconds is None else row.seconds,
        cause,
        parameters=arguments,
        definition=definition,
    )


def _cause(row: ScriptStatus, status: EnsoJobStatus) -> Cause | None:
    """Return the cause of the latest attempt; in full where the status has it in full."""
    for failure in (status.failure, status.ledger and status.ledger.failed):
        # The job may have failed for another cause than the script's attempt.
        if failure and (
            (failure.script, failure.attempt, failure.reason, short(cause_of(failure)))
            == (row.name, row.attempt, row.reason, row.message or "")
        ):
            return cause_of(failure)
    return _short_cause(row, row.message or "")


def _short_cause(row: ScriptStatus | AttemptStatus, message: str = "") -> Cause | None:
    return Cause(row.reason, message, exit_code=row.exit_code) if row.reason else None


def _rebuilt_events(job: Job, added: events.JobAdded) -> list[events.Event]:
    """Return the events that the status still has, in the order of their times."""
    rebuilt: list[events.Event] = []
    if job.started_at is not None:
        rebuilt.append(events.JobStarted(at=job.started_at))
    if job.open_run:
        rebuilt.append(job.open_run)
    for name, row in job.rows.items():
        for attempt in (*row.earlier, row.latest):
            rebuilt += _attempt_events(job, name, attempt, row.output)
    rebuilt += [events.JobResumed(at=job.resumed_at or 0)] * job.resumes
    rebuilt = [added, *sorted(rebuilt, key=lambda event: event.at)]
    return [*rebuilt, *_end_events(job, rebuilt[-1].at)]


def _end_events(job: Job, last: float) -> Iterator[events.Event]:
    at = last if job.ended_at is None else job.ended_at
    if job.state is JobState.SUSPENDED:
        yield events.JobSuspended(at=at)
    elif job.state is JobState.SUCCEEDED:
        yield events.JobSucceeded(at=at)
    elif job.state is JobState.CANCELLED:
        yield events.JobCancelled(at=at)
    elif job.failure:
        yield job.failure


def _attempt_events(
    job: Job, name: str, attempt: Attempt, output: Output | None
) -> Iterator[events.Event]:
    """Yield the start of an attempt, if it was started, and its outcome."""

    def event(kind: type[events.ScriptEvent], at: float, **details: object) -> events.Event:
        rebuilt = job.script_event(kind, name, attempt.number, at, **details)
        return replace(rebuilt, parameters=attempt.parameters or {}) if attempt.number else rebuilt

    if attempt.started_at is not None:
        yield event(events.ScriptStarted, attempt.started_at)
    at, cause = attempt.ended_at or 0, attempt.cause or Cause(Reason.SESSION_LOST)
    if attempt.state is ScriptState.SUCCEEDED:
        value = output.value if output and output.attempt == attempt.number else None
        yield event(events.ScriptSucceeded, at, seconds=attempt.seconds, output=value)
    elif attempt.state is ScriptState.FAILED:
        yield event(events.ScriptFailed, at, seconds=attempt.seconds, cause=cause)
    elif attempt.state is ScriptState.INTERRUPTED:
        yield event(events.ScriptInterrupted, at, cause=cause)
    elif attempt.state is ScriptState.SKIPPED:
        yield event(events.ScriptSkipped, at)
