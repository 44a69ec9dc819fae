"""Where a session runs, as far as its coordinator knows: for people who look for its output."""

from __future__ import annotations

from dataclasses import dataclass

from job_execution_framework.domain.cause import Cause


@dataclass(frozen=True)
class SessionLocation:
    """What a job's status and failure card tell of the session that it has or had."""

    pod: str = ""
    """Name of the Pod, left empty where there is none."""
    is_gone: bool = False
    """Whether there was a Pod, which is no more."""
    on: str = ""
    """Node, Pod and image, or whatever else says where it runs."""
    log: str = ""
    """How to read all that the scripts wrote."""
    waits: Cause | None = None
    """What keeps the session from beginning or from ending, where that is not a moment's delay."""


NOWHERE = SessionLocation()
