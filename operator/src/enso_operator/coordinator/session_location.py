"""Where a session runs, for people who look for its output."""

from __future__ import annotations

from dataclasses import dataclass

from job_execution_framework.domain.cause import Cause


@dataclass(frozen=True)
class SessionLocation:
    """Where the job's present or last session is; shown in its status and failure card."""

    pod: str = ""
    """Name of the Pod, left empty where there is none."""
    is_gone: bool = False
    """Whether the session had a Pod that does not exist any more."""
    on: str = ""
    """Node, Pod and image, as text for people."""
    log: str = ""
    """How to read all that the scripts wrote."""
    waits: Cause | None = None
    """What keeps the session from beginning or ending for longer than usual."""


NOWHERE = SessionLocation()
