"""The messages in an actor's inbox, beside the actions of the core."""

from __future__ import annotations

from dataclasses import dataclass

from job_execution_framework.domain.actions import Action
from job_execution_framework.service_layer.observations import Observations


@dataclass(frozen=True)
class Wake:
    """Load the job again: the stored one may be newer."""


@dataclass(frozen=True)
class SessionSaid:
    """A session run wrote records, or has ended."""

    observations: Observations


@dataclass(frozen=True)
class JobGone:
    """The job was removed from the store."""

    why: str


@dataclass(frozen=True)
class Broken:
    """Following the session failed with an unexpected error."""

    error: Exception


Message = Wake | Action | SessionSaid | JobGone | Broken
