"""What an actor may be told: the messages in its inbox, beside the actions of the core."""

from __future__ import annotations

from dataclasses import dataclass

from job_execution_framework.domain.actions import Action
from job_execution_framework.service_layer.observations import Observations


@dataclass(frozen=True)
class Wake:
    """The job is to be looked at: what is stored of it may be newer than what is known."""


@dataclass(frozen=True)
class SessionSaid:
    """A session run wrote records, or has ended."""

    observations: Observations


@dataclass(frozen=True)
class JobGone:
    """Nothing is stored of the job any more."""

    why: str


@dataclass(frozen=True)
class Broken:
    """Whoever follows the session failed in a way that nobody expected."""

    error: Exception


Message = Wake | Action | SessionSaid | JobGone | Broken
