"""What a caller may not do with jobs, so that a page can say so before it is tried."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rights:
    """Why not, as a sentence; "" where it is allowed, or where nobody can say before."""

    act: str = ""
    """Ask something of a job: resume, pause, retry, skip, cancel."""
    add: str = ""
    """Add a job."""
    execute: str = ""
    """Let one go that was added."""


ALLOWED = Rights()
"""Everything, as far as anybody knows."""
