"""The scripts of a job, each with its attempts, arguments and output."""

from __future__ import annotations

from dataclasses import dataclass

from enso_operator.http_api.responses import name_of_work
from enso_operator.http_api.web.views.attempts import ShownAttempt
from enso_operator.http_api.web.views.spans import Times, times_of
from enso_operator.http_api.web.views.standing import (
    Retry,
    never_began,
    pauses_after,
    retry_of,
    state_of,
)
from enso_operator.http_api.web.views.values import Named, named, one
from enso_operator.kube.status.finer_states import is_stopped
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.row import ScriptState
from job_execution_framework.domain.script import Script, Source
from job_execution_framework.domain.transitions import ENDED
from job_execution_framework.domain.values import is_mapping


@dataclass(frozen=True)
class ShownScript:
    """One script of the job."""

    name: str
    number: str
    """``3``; of a finally script ``f1``."""
    work: str
    """What it runs, where that is not its name."""
    session: str
    state: str
    retry: Retry | None
    """Its next attempt, where the job waits for that."""
    note: str
    """What is to be known of its state beside it: that it is to be skipped, say."""
    is_final: bool
    is_setup: bool
    is_checkpoint: bool
    progress: float | None
    message: str
    """What it says that it does, while it runs."""
    reason: str
    seconds: float | None
    """How long its latest attempt ran."""
    is_at_most: bool
    times: Times | None
    """Of all of its attempts, where there are several and none of them runs."""
    since: float | None
    """When its attempt that runs began."""
    attempts: tuple[ShownAttempt, ...]
    number_of_output: int
    """Of the attempt whose output is shown with the script; 0 where there is none."""
    arguments: tuple[Named, ...]
    output: tuple[Named, ...]
    """What it returned; by name where it is a mapping."""
    output_attempt: int


def shown_script(job: Job, script: Script, attempts: tuple[ShownAttempt, ...]) -> ShownScript:
    """Return what is shown of a script."""
    row = job.rows[script.name]
    latest, said = row.latest, job.progress_of(script.name)
    place = [other.name for other in (job.finals if script.is_final else job.main)].index(
        script.name
    )
    is_inline = isinstance(script.work, Source) and script.work.file == f"{script.name}.py"
    work = script.name if is_inline else name_of_work(script)
    output = row.output.value if row.output else None
    known = latest.parameters if row.has_attempt else None
    is_running = row.state is ScriptState.RUNNING
    retry = retry_of(job) if row.state is ScriptState.FAILED else None
    cause = latest.cause
    return ShownScript(
        script.name,
        number=f"f{place + 1}" if script.is_final else str(place + 1),
        work=work if work != script.name else "",
        session=script.session,
        state=state_of(latest),
        retry=retry if retry and retry.script == script.name else None,
        note=_note(job, script),
        is_final=script.is_final,
        is_setup=script.setup,
        is_checkpoint=script.checkpoint,
        progress=said.percent if said else None,
        message=said.message if said else "",
        reason=_reason(job, script.name, cause) if cause else "",
        seconds=attempts[-1].seconds if attempts else None,
        is_at_most=bool(attempts) and attempts[-1].is_at_most,
        times=times_of(job, [script]) if len(attempts) > 1 else None,
        since=latest.started_at if is_running else None,
        attempts=attempts,
        number_of_output=max((one.number for one in attempts if one.started_at), default=0),
        arguments=named(job.shown(script.name, latest.number) if known is None else known, script),
        output=_output(output),
        output_attempt=row.output.attempt if row.output else 0,
    )


def _reason(job: Job, name: str, cause: Cause) -> str:
    """Return the reason; for an exception its type, which a restored row does not have."""
    if cause.reason != Reason.EXCEPTION:
        return cause.reason
    failure = job.failure
    told = failure.cause.error if failure and failure.script == name else ""
    return cause.error or told or cause.reason


def _note(job: Job, script: Script) -> str:
    pause = "will pause after this script" if pauses_after(job, script) else ""
    return "; ".join(filter(None, [_what_is_next(job, script), pause]))


def _what_is_next(job: Job, script: Script) -> str:
    row = job.rows[script.name]
    if row.state is ScriptState.RUNNING and is_stopped(job, script.name):
        return "is being stopped"
    if row.skip_requested:
        return "will be skipped"
    if never_began(job, script):
        return "cancelled before it began"
    if _runs_again(job, script):
        if row.retry_forced:
            return "starts again now"
        # After a resume its failures are counted anew: it is no retry.
        return row.next_retry(script.retries) if row.failures else "will run again"
    if row.done and row.state not in (ScriptState.SUCCEEDED, ScriptState.SKIPPED):
        return "was done before"
    return ""


def _runs_again(job: Job, script: Script) -> bool:
    """Whether a script whose latest attempt did not succeed is started once more."""
    row = job.rows[script.name]
    if row.state not in (ScriptState.FAILED, ScriptState.INTERRUPTED) or job.is_over(script.name):
        return False
    if script.is_final:
        return script in job.finally_to_come()
    return job.state not in ENDED and job.failure_at(script) is None


def _output(value: object) -> tuple[Named, ...]:
    if value is None:
        return ()
    if is_mapping(value) and value:
        return named({str(key): item for key, item in value.items()})
    return (one(value),)
