"""What `Job.next` may ask for. The job decides; a service or the coordinator does it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from job_execution_framework.domain.cause import Cause


class SessionControl(str, Enum):
    """What the coordinator tells a running session to do."""

    PAUSE = "pause"
    """Let the running script end, then start no other."""
    CANCEL = "cancel"
    """End the running script too."""


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
class Close:
    """Tell the session run to end."""

    run: str
    control: SessionControl


@dataclass(frozen=True)
class Wait:
    """Do nothing until `until` (seconds since the epoch), or until something is observed."""

    until: float | None = None


@dataclass(frozen=True)
class Finish:
    """End the job: it failed for `cause` at `script`, or, without a cause, it succeeded."""

    cause: Cause | None = None
    script: str = ""


Step = Start | Open | Close | Wait | Finish
