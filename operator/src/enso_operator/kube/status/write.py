"""Converts a Job to the status of its EnsoJob; `read.py` restores the Job from that status.

The unit of work calls `status_of` for every commit. Conditions, rows and `why` are for people.
Together with the ledger they hold everything that a restored Job needs to decide the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Literal

from enso_operator.api.status import (
    AttemptStatus,
    ChangedDefinition,
    Closing,
    EnsoJobStatus,
    Failure,
    Ledger,
    OpenRun,
    Pause,
    ScriptStatus,
    SessionLedger,
)
from enso_operator.coordinator.session_location import NOWHERE, SessionLocation
from enso_operator.kube.status import columns
from enso_operator.kube.status.columns import is_to_be_replaced
from enso_operator.kube.status.conditions import card_in, conditions
from enso_operator.kube.status.durations import measured
from enso_operator.kube.status.failure_location import failure_location
from enso_operator.kube.status.fields import (
    LAST_SECOND,
    cause_of,
    failure_of,
    identifier,
    number,
    one_line,
    short,
    time_at,
    time_of,
)
from enso_operator.kube.status.retries import last_budget, reason_failures
from enso_operator.kube.status.size import fitted
from job_execution_framework.domain.actions import MOST_RESUMES, Resume
from job_execution_framework.domain.cause import Reason
from job_execution_framework.domain.events import COORDINATOR, JobResumed
from job_execution_framework.domain.failure_card import FailureCard, failure_card
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.progress import Progress
from job_execution_framework.domain.row import Attempt, Row
from job_execution_framework.domain.script import Script
from job_execution_framework.domain.transitions import ENDED, JobState


def status_of(
    job: Job,
    generation: int,
    before: EnsoJobStatus,
    location: SessionLocation = NOWHERE,
    spec_digest: str | None = None,
    definitions: Mapping[int, str] = MappingProxyType({}),
) -> EnsoJobStatus:
    """Return the job's status; `before` is the one that it replaces.

    `definitions` are the names under which the job's changed definitions are stored, by number;
    number 1 is among them in a run of a template, which `before` names.
    """
    card = _card(job, before, location)
    waits = columns.waits(job, location.waits)
    return fitted(
        EnsoJobStatus(
            observed_generation=generation,
            conditions=conditions(job, card, generation, before.conditions or (), waits),
            template=before.template,
            start_time=time_of(job.started_at),
            completion_time=time_of(job.finished_at),
            activity=columns.activity(job),
            done=columns.done(job),
            script=columns.current_script(job),
            progress=columns.progress(job),
            reason=columns.reason(job, waits),
            pod=location.pod or (None if location.is_gone else before.pod),
            scripts=[
                _row(script, job.rows[script.name], job.progress_of(script.name))
                for script in job.scripts
            ],
            failure=_failure(job),
            ledger=_ledger(job, spec_digest, definitions),
            why=[*card.why] if card else None,
        )
    )


def _card(job: Job, before: EnsoJobStatus, location: SessionLocation) -> FailureCard | None:
    """Return the failure card; for a failure already in the status the card there, with its log."""
    told = before.failure.time if before.failure else None
    if location == NOWHERE and job.failure and told == time_of(job.failure.at):
        return card_in(before) or card_of(job)
    return card_of(job, failure_location(job, before, location))


def card_of(job: Job, location: SessionLocation = NOWHERE) -> FailureCard | None:
    """Return the failure card of a job, if it failed; its `line` fits into a condition."""
    job = job.copy()
    if job.failure:  # bounded as in the status: a session may write any text into its records
        bounded = cause_of(failure_of(job.failure.cause))
        job.failure = replace(job.failure, cause=bounded)
    card = failure_card(job, on=location.on, log=location.log, resume=_resume_command(job))
    return card and FailureCard(one_line(card.line), card.why)


def _resume_command(job: Job) -> str:
    """Return the command that resumes a failed job; empty where it cannot be resumed."""
    is_invalid = job.failure is not None and job.failure.cause.reason == Reason.INVALID_JOB
    return "" if is_invalid or job.why_not(Resume()) else f"kubectl enso resume {job.id}"


def _row(script: Script, row: Row, said: Progress | None) -> ScriptStatus:
    latest = _attempt(row.latest)
    cause = row.latest.cause
    return ScriptStatus(
        name=script.name,
        final=script.is_final,
        state=latest.state,
        attempt=latest.attempt,
        definition=latest.definition,
        start_time=latest.start_time,
        completion_time=latest.completion_time,
        seconds=latest.seconds,
        exit_code=latest.exit_code,
        reason=latest.reason,
        message=(short(cause) if cause else said.message if said else "") or None,
        progress=said.percent if said else None,
        done=row.done,
        failures=row.failures,
        output=row.output.value if row.output else None,
        output_attempt=_attempt_if_earlier(row),
        reason_failures=reason_failures(row, script.retries),
        last_reason=last_budget(row, script.retries),
        earlier=[_attempt(attempt) for attempt in row.earlier] or None,
    )


def _attempt_if_earlier(row: Row) -> int | None:
    """Return which attempt gave the output; None where that is the latest, or there is none."""
    return row.output.attempt if row.output and row.output.attempt != row.attempt else None


def _attempt(attempt: Attempt) -> AttemptStatus:
    cause = attempt.cause
    return AttemptStatus(
        attempt=attempt.number,
        definition=_number_if_changed(attempt.definition),
        state=attempt.state.value,
        start_time=time_of(attempt.started_at),
        completion_time=time_of(attempt.ended_at),
        seconds=measured(attempt),
        exit_code=number(cause.exit_code) if cause else None,
        reason=(identifier(cause.reason) or "Unknown") if cause else None,
    )


def _failure(job: Job) -> Failure | None:
    failed = job.failure
    if failed is None:
        return None
    attempt = job.rows[failed.script].latest if failed.script else None
    return failure_of(failed.cause, failed.script, attempt, failed.at)


def _ledger(job: Job, spec_digest: str | None, definitions: Mapping[int, str]) -> Ledger:
    skipped = [name for name, row in job.rows.items() if row.done and not row.succeeded]
    return Ledger(
        run=_open_run(job),
        run_end_time=time_of(job.run_ended_at) if not (job.open_run or job.finished) else None,
        sessions=[_session(job, name) for name in {**job.runs, **job.lost}] or None,
        cursors=_cursors(job) or None,
        failed=_last_failed(job),
        skipped=skipped or None,
        partial=[name for name, row in job.rows.items() if row.partial] or None,
        spec_digest=spec_digest,
        definitions=[
            ChangedDefinition(number=number, name=definitions[number])
            for number in sorted((_definitions_in_use(job) | {1}) & definitions.keys())
        ]
        or None,
        resumes=min(job.resumes, MOST_RESUMES),
        resume_time=time_of(job.resumed_at),
        suspend_time=time_of(job.standstill.since),
        suspended_seconds=min(job.standstill.seconds, LAST_SECOND),
        finally_stopped=job.finally_stopped,
        suspended=job.suspended and job.paused is not None,
        pause=Pause(after=job.paused.after or None) if job.paused else None,
        closing=_closing(job),
        skip_requested=[name for name, row in job.rows.items() if row.skip_requested] or None,
        retry_forced=[name for name, row in job.rows.items() if row.retry_forced] or None,
        actions=list(job.acted) or None,
    )


def _definitions_in_use(job: Job) -> set[int]:
    """Return the numbers of the present definition and of those that something was started with."""
    attempts = {
        attempt.definition for row in job.rows.values() for attempt in (*row.earlier, row.latest)
    }
    return {job.definition_number, *attempts} | ({job.run_definition} if job.open_run else set())


def _number_if_changed(definition: int) -> int | None:
    """Return the number of a changed definition; None for the spec itself."""
    return definition if definition > 1 else None


def _closing(job: Job) -> Closing | None:
    if job.closing is None and not job.again:
        return None
    kind: Literal["Resume", "Unpause"] | None = None
    if job.closing:
        kind = "Resume" if isinstance(job.closing, JobResumed) else "Unpause"
    return Closing(kind=kind, again=[name for name in job.rows if name in job.again] or None)


def _open_run(job: Job) -> OpenRun | None:
    if job.open_run is None:
        return None
    return OpenRun(
        name=job.open_run.run,
        session=job.open_run.session,
        uid=job.open_run.uid,
        open_time=time_at(job.open_run.at),
        definition=_number_if_changed(job.run_definition),
        scripts=list(job.open_run.scripts),
        warm=[name for name in job.rows if name in job.warm] or None,
    )


def _session(job: Job, name: str) -> SessionLedger:
    """Return how often a session was lost; and why, if the job still waits or fails for that."""
    lost, session = job.lost.get(name), job.session(name)
    if lost is None:
        return SessionLedger(name=name, runs=job.runs.get(name, 0))
    goal = job.goal
    fails = lost.exceed(session) and job.state not in ENDED
    needs_cause = goal and goal.session == name and (fails or is_to_be_replaced(job, name))
    return SessionLedger(
        name=name,
        runs=job.runs.get(name, 0),
        lost=lost.count,
        lost_by=failure_of(lost.cause) if needs_cause else None,
        lost_time=time_at(lost.at) if session.lost_backoff_seconds else None,
    )


def _cursors(job: Job) -> dict[str, int]:
    """Return the cursors of the coordinator and of the latest run of each session."""
    kept = {COORDINATOR, *(f"{session}-{number}" for session, number in job.runs.items())}
    return {origin: seq for origin, seq in job.cursors.items() if origin in kept}


def _last_failed(job: Job) -> Failure | None:
    """Return the failure for which the job will fail, or else the latest one before a retry."""
    if job.finished or (job.state in ENDED and job.state is not JobState.SUCCEEDED):
        return None
    first = next((script.name for script in job.failed()), "")
    causes = [
        (
            name == first,
            row.failed_for_good(job.script(name).retries),
            row.latest.ended_at or 0,
            name,
        )
        for name, row in job.rows.items()
        if row.latest.cause
    ]
    if not causes:
        return None
    name = max(causes)[-1]
    latest = job.rows[name].latest
    return failure_of(latest.cause, name, latest, latest.ended_at) if latest.cause else None
