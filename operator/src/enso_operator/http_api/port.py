"""The port between the HTTP API's routes and its two backends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from enso_operator.api.ensoaction import EnsoActionSpec
from job_execution_framework.domain.failure_card import FailureCard
from job_execution_framework.domain.job import Job

Instructions = Sequence[tuple[str, Mapping[str, Any]]]
"""Scripts of the library, by name, each with its parameters."""


class Busy(Exception):  # as the core's Conflict: what it is, not that it is an error
    """There is no room for another job now; the message says what to do."""


class NotAllowed(Exception):
    """The API server refuses this to the HTTP server; the message names the missing right."""


@dataclass(frozen=True)
class Shown:
    """A job at one moment."""

    jobid: str
    state: str
    card: FailureCard | None
    """Why it failed, if it did."""
    job: Job | None
    """None where the object of this id makes no job."""


@dataclass(frozen=True)
class Acted:
    """What came of an action on a job that was not refused."""

    state: str
    """The job's state after it."""
    outcome: str
    """What was done and what is still to come, or why nobody knows yet."""
    is_done: bool = True
    """Whether the job has obeyed; else the operator has not acted yet."""
    action: str = ""
    """Name of the EnsoAction, where there is one."""


class Jobs(Protocol):
    """Where jobs are kept and run. Each call may raise Unavailable and NotAllowed."""

    async def add(self, instructions: Instructions) -> str:
        """Add a job that waits, and return its id; raise InvalidJob or Busy."""
        ...

    async def list(self) -> list[tuple[str, str]]:
        """Return the id and the state of each job, the oldest first."""
        ...

    async def get(self, job_id: str) -> Shown:
        """Return the job as it is now; raise JobNotFound."""
        ...

    async def execute(self, job_id: str) -> str:
        """Start the job, and return its state.

        Raises JobNotFound, JobAlreadyStarted, and InvalidJob where it could never run.
        """
        ...

    async def act(self, asked: EnsoActionSpec, key: str) -> Acted:
        """Do what is asked of a job; where `key` and request came before, only say how it went.

        An empty key is none. Raises JobNotFound, InvalidAction where it is refused, and InvalidJob
        where these jobs can never do it.
        """
        ...
