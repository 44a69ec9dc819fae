"""The port of the HTTP API: what its routes call, and its two backends implement."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from enso_operator.api.ensoaction import EnsoActionSpec
from enso_operator.http_api.asked import AskedAction
from enso_operator.http_api.definitions import Manifests
from enso_operator.http_api.offers import Offer
from enso_operator.http_api.outlook import Outlook
from enso_operator.http_api.rights import Rights
from enso_operator.http_api.rows import Rows
from job_execution_framework.domain.failure_card import FailureCard
from job_execution_framework.domain.job import Job

Instructions = Sequence[tuple[str, Mapping[str, Any]]]
"""Scripts of the library, by name, each with its parameters."""


class Busy(Exception):  # named like the core's Conflict, without "Error"
    """The server's limits allow no other job now; the message says what to do."""


class NotAllowed(Exception):
    """The HTTP server has no permission for this in the cluster; the message names the right."""


class NotSignedIn(NotAllowed):
    """Nobody knows who asks: there are no credentials, or none that the API server accepts."""


@dataclass(frozen=True)
class JobSnapshot:
    """The state of a job at one moment."""

    jobid: str
    state: str
    card: FailureCard | None
    """Why it failed, if it did."""
    job: Job | None
    """None if the EnsoJob with this id is invalid."""
    may_start: bool = False
    """Whether it waits to be executed."""
    message: str = ""
    """How it stands, as one line: what runs, and what it waits for."""


@dataclass(frozen=True)
class ActionOutcome:
    """The outcome of an action that was not refused."""

    state: str
    """The job's state after it."""
    outcome: str
    """What was done and what will happen next, or why that is not known yet."""
    is_done: bool = True
    """Whether the action was done; if not, the operator has not acted yet."""
    action: str = ""
    """Name of the EnsoAction, where there is one."""


class Jobs(Protocol):
    """Where jobs are kept and run. Each call may raise Unavailable and NotAllowed."""

    @property
    def namespace(self) -> str:
        """The namespace of these jobs; "" without a cluster."""
        ...

    async def add(self, instructions: Instructions) -> str:
        """Add a job that waits, and return its id; raise InvalidJob or Busy."""
        ...

    async def add_run(self, template: str, params: Mapping[str, Any]) -> str:
        """Add a run of a template, which waits; return its id. Raises InvalidJob or Busy."""
        ...

    async def list(self) -> list[tuple[str, str]]:
        """Return the id and the state of each job, the oldest first."""
        ...

    async def rows(self) -> Rows:
        """Return the columns of the jobs, as they were a moment ago."""
        ...

    async def get(self, job_id: str) -> JobSnapshot:
        """Return the job as it is now; raise JobNotFound."""
        ...

    async def defaults(self, job: Job) -> Mapping[str, object]:
        """Return what the script at which a job failed got by default, as people may see it.

        Nothing where that is not known, as its library has another script by now.
        """
        ...

    async def manifests(self, job_id: str) -> Manifests:
        """Return the job's manifest as applied and as it is defined now.

        Raises JobNotFound, and InvalidJob where it cannot be told.
        """
        ...

    def output(
        self, job_id: str, script: str, attempt: int, *, is_following: bool = False
    ) -> AsyncGenerator[bytes]:
        """Yield what an attempt of a script wrote, in pieces; they are read as they are taken.

        While following, it ends when the attempt has ended. Raises JobNotFound and NoOutput.
        """
        ...

    def changes(self, job_id: str = "") -> AsyncGenerator[None]:
        """Yield once, then after each change of a job, or of any; those of a moment are one.

        Everybody who listens with the same rights costs the cluster as much as one does.
        """
        ...

    async def outlook(self, spec: EnsoActionSpec) -> Outlook:
        """Return what a resume would run and keep, or why it is not possible; change nothing.

        Raises JobNotFound, and InvalidJob for what is no job.
        """
        ...

    async def library(self) -> Sequence[Offer]:
        """Return the scripts that jobs may name, by name."""
        ...

    async def templates(self) -> Sequence[Offer]:
        """Return the templates, by name. Raises InvalidJob where none can be read."""
        ...

    async def rights(self) -> Rights:
        """Return what the caller may not do here, as far as that can be known."""
        ...

    async def namespaces(self) -> Sequence[str]:
        """Return the namespaces in which the caller may list jobs, as far as that can be known.

        Without a cluster there are none.
        """
        ...

    def within(self, namespace: str) -> Jobs:
        """Return the jobs of another namespace. Raises JobNotFound where none can have the name."""
        ...

    async def asked(self, job_id: str) -> Sequence[AskedAction]:
        """Return what people asked of a job, the latest first, where its events do not tell it.

        None where they do, or where the caller may not read it.
        """
        ...

    async def execute(self, job_id: str) -> str:
        """Start the job, and return its state.

        Raises JobNotFound, JobAlreadyStarted, and InvalidJob where it could never run.
        """
        ...

    async def act(self, spec: EnsoActionSpec, key: str) -> ActionOutcome:
        """Do an action on a job once for each `key`; an empty key is no key.

        If the same action was requested with this key before, only its outcome is returned. Raises
        JobNotFound, InvalidAction if the action is refused, and InvalidJob if this backend never
        supports it, or if a script does not take an argument that the action gives it.
        """
        ...
