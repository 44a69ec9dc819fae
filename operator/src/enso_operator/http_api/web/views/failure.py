"""Why a job failed, in the parts of the failure card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from enso_operator.http_api.port import JobSnapshot
from enso_operator.http_api.web.views.output_lines import without_colours
from enso_operator.http_api.web.views.values import Named, named
from job_execution_framework.domain import failure_card
from job_execution_framework.domain.cause import Cause
from job_execution_framework.domain.job import Job


@dataclass(frozen=True)
class Other:
    """Another script that failed, too."""

    name: str
    why: str


@dataclass(frozen=True)
class Failure:
    """What the page shows first of a job that failed."""

    card: tuple[str, ...]
    """The failure card as text, to be sent to somebody."""
    script: str = ""
    """The script that failed; "" where it was not at one."""
    place: str = ""
    state: str = ""
    attempt: int = 0
    """0 where it did not start."""
    seconds: float | None = None
    reason: str = ""
    what: str = ""
    """The exception's type, or "" where there was none."""
    message: str = ""
    root: str = ""
    file: str = ""
    line: str = ""
    """The line in the user's code: number and function."""
    code: str = ""
    arguments: tuple[Named, ...] = ()
    """Those that were given, and behind them the defaults of others."""
    said: tuple[str, ...] = ()
    said_lines: int = 0
    others: tuple[Other, ...] = ()
    runs: tuple[str, ...] = ()
    """What a resume runs, in order."""


def failure_of(snapshot: JobSnapshot) -> Failure | None:
    """Return why the job failed; None where it did not."""
    card, job = snapshot.card, snapshot.job
    if card is None:
        return None
    if job is None or job.failure is None:
        return Failure(card.why, message="\n".join(card.why))
    cause, name = job.failure.cause, job.failure.script
    shown = Failure(
        card.why,
        reason=cause.reason,
        what=cause.error,
        message=cause.message,
        root=cause.root,
        said=tuple(map(without_colours, cause.said)),
        said_lines=cause.said_lines,
        others=_others(job),
        runs=tuple(failure_card.names_to_come(job)),
    )
    return _at_script(job, name, cause, shown) if name in job.rows else shown


def with_defaults(failure: Failure, defaults: Mapping[str, object]) -> Failure:
    """Return it with what the script got by default behind what it was given."""
    behind = (replace(one, is_default=True) for one in named(defaults))
    return replace(failure, arguments=(*failure.arguments, *behind))


def _at_script(job: Job, name: str, cause: Cause, shown: Failure) -> Failure:
    script, latest = job.script(name), job.rows[name].latest
    frame = cause.at
    given = latest.parameters if latest.parameters is not None else job.shown(name, latest.number)
    return replace(
        shown,
        script=name,
        place=job.place(name),
        state=str(latest.state),
        attempt=latest.number,
        seconds=latest.seconds if latest.started_at is not None else None,
        arguments=named(given, script),
        file=failure_card.file_of(script, frame) if frame else "",
        line=f"line {frame.line} in {frame.function}" if frame else "",
        code=frame.text if frame else "",
    )


def _others(job: Job) -> tuple[Other, ...]:
    causes = ((name, job.rows[name].latest.cause) for name in failure_card.also_failed(job))
    return tuple(Other(name, str(cause)) for name, cause in causes)
