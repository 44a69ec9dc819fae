"""What a job may ask for next. Deciding is the job's; doing it is somebody else's."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from job_execution_framework.domain.cause import Cause


class SessionControl(str, Enum):
    """What a running session is told."""

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
    """Nothing to do before `until` (seconds since the epoch), or until something is seen."""

    until: float | None = None


@dataclass(frozen=True)
class Finish:
    """The job is at its end: failed for `cause`, at `script`; or succeeded, without a cause."""

    cause: Cause | None = None
    script: str = ""


Step = Start | Open | Close | Wait | Finish
