"""What `Job.next` may ask for. The job decides; a service or the coordinator does it."""

from __future__ import annotations

from dataclasses import dataclass

from job_execution_framework.domain.cause import Cause


@dataclass(frozen=True)
class Start:
    """Start this attempt, in this process."""

    script: str
    attempt: int


@dataclass(frozen=True)
class Open:
    """Open a session: one process, named `run`, that may start `scripts` and no others."""

    run: str
    session: str
    scripts: tuple[str, ...]


@dataclass(frozen=True)
class Wait:
    """Do nothing until `until` (seconds since the epoch), or until something is observed."""

    until: float | None = None


@dataclass(frozen=True)
class Finish:
    """End the job: it failed for `cause` at `script`, or, without a cause, it succeeded."""

    cause: Cause | None = None
    script: str = ""


Step = Start | Open | Wait | Finish
