"""The response models of the HTTP API; their docstrings are the descriptions in OpenAPI.

The routes build them from what a backend returns.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from enso_operator.http_api.port import JobSnapshot
from job_execution_framework.domain.cause import Cause, Frame
from job_execution_framework.domain.events import Event
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import Container, Function, LibraryScript, Script, Source


class Added(BaseModel):
    """The job that was added. It waits for /execute-job."""

    jobid: str


class Listed(BaseModel):
    """A job and its state."""

    jobid: str
    state: str = Field(description="Waiting, Running, Suspended, Succeeded, Failed or Cancelled.")


class Done(BaseModel):
    """The outcome of an action on a job."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "jobid": "job-19ac01f4d7e0b1c2d3",
                    "state": "Running",
                    "outcome": "resumed; it goes on at 'simulate' after open has run again",
                }
            ]
        }
    )

    jobid: str
    state: str = Field(description="The job's state after it, as in /list-jobs.")
    outcome: str = Field(description="What was done and what is still to come, as one line.")
    action: str | None = Field(None, description="Over Kubernetes, the EnsoAction's name.")


class Problem(BaseModel):
    """Why a request was refused."""

    error: str = Field(description="A sentence for the person who sent the request.")


class _Shown(BaseModel):
    """Base class of parts of a job. They are not validated: their values come from the job."""

    def document(self) -> dict[str, Any]:
        """Return the model as plain JSON values, without the fields that were not set."""
        return self.model_dump(
            exclude_unset=True, warnings=False
        )  # tuples in fields of lists would warn


class CauseShown(_Shown):
    """Why something failed. Fields that say nothing are left out."""

    reason: str = Field(description="Exception, ExitCode, Signal, Timeout, ScriptNotFound …")
    message: str | None = None
    error: str | None = Field(None, description="Type of the exception.")
    root: str | None = Field(None, description="What the exception came from.")
    at: str | None = Field(None, description="The innermost line of the script's own code.")
    exit_code: int | None = None
    signal: str | None = None
    said: list[str] | None = Field(None, description="The last lines that the script wrote.")
    said_lines: int | None = Field(None, description="How many lines the script wrote in all.")


class ScriptShown(_Shown):
    """One script of a job, as its latest attempt left it."""

    name: str = Field(description="Its name in this job.")
    final: bool = Field(
        default=False,
        description="True of a finally script, which runs when the job's end is decided.",
    )
    script: str = Field(description="Its name in the script library.")
    parameters: dict[str, Any] = Field(
        description="Those of its latest attempt. Secrets are hidden, long values cut."
    )
    state: str = Field(
        description="NotStarted, Running, Succeeded, Failed, Interrupted (nobody can know how it "
        "ended) or Skipped."
    )
    attempt: int
    progress: float | None = Field(
        None, description="Percent, of a script that runs, if it has told it."
    )
    message: str | None = Field(
        None, description="What a script that runs says it does, if it has told it."
    )
    seconds: float
    cause: CauseShown | None = Field(description="Why its latest attempt failed; null if not.")
    output: Any = Field(description="What main returned when it last succeeded.")

    @classmethod
    def of(cls, job: Job, script: Script) -> ScriptShown:
        """Return the response for a script of the job."""
        latest, output = job.rows[script.name].latest, job.rows[script.name].output
        said = job.progress_of(script.name)
        told: dict[str, Any] = {"progress": said.percent, "message": said.message} if said else {}
        if script.is_final:
            told["final"] = True
        return cls.model_construct(
            None,
            **{key: value for key, value in told.items() if value not in (None, "")},
            name=script.name,
            script=name_of_work(script),
            parameters=job.shown(script.name, latest.number),
            state=str(latest.state),
            attempt=latest.number,
            seconds=round(latest.seconds, 3),
            cause=CauseShown.model_construct(**_set_fields(latest.cause)) if latest.cause else None,
            output=output.value if output else None,
        )


class EventShown(_Shown):
    """Something that happened. Further fields depend on the type."""

    model_config = ConfigDict(extra="allow")

    type: str
    at: str = Field(description="ISO 8601, UTC.")
    text: str = Field(description="The event as one line.")

    @classmethod
    def of(cls, event: Event) -> EventShown:
        """Return the response for an event, with the fields of its type."""
        at = datetime.fromtimestamp(event.at, UTC).isoformat(timespec="milliseconds")
        return cls.model_construct(
            type=type(event).__name__,
            at=at.replace("+00:00", "Z"),
            text=str(event),
            **_set_fields(event, leave_out=("at", "origin", "seq")),
        )


class JobShown(_Shown):
    """A job: what it runs, how far it came, and what happened."""

    jobid: str
    state: str
    failure: str | None = Field(
        description="Why the job failed, as one line; null where it has not."
    )
    why: list[str] | None = Field(description="The same as lines.")
    scripts: list[ScriptShown]
    events: list[EventShown]

    @classmethod
    def of(cls, snapshot: JobSnapshot) -> JobShown:
        """Return the response for a snapshot of a job."""
        job, card = snapshot.job, snapshot.card
        return cls.model_construct(
            jobid=snapshot.jobid,
            state=snapshot.state,
            failure=card.line if card else None,
            why=list(card.why) if card else None,
            scripts=[ScriptShown.of(job, script) for script in job.scripts] if job else [],
            events=[EventShown.of(event) for event in job.events] if job else [],
        )


def name_of_work(script: Script) -> str:
    """Return what a script runs, as people name it."""
    match script.work:
        case LibraryScript(name):
            return name
        case Function(reference):
            return reference
        case Container(image):
            return image
        case Source(file=file):
            return file
        case missing:
            return missing.why


def _set_fields(part: Event | Cause, leave_out: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the fields that are not empty."""
    values = {field.name: getattr(part, field.name) for field in fields(part)}
    return {
        key: _as_json(value)
        for key, value in values.items()
        if key not in leave_out and value not in (None, "", (), {})
    }


def _as_json(value: object) -> object:
    if isinstance(value, Cause):
        return _set_fields(value)
    if isinstance(value, Frame):
        return str(value)
    if isinstance(value, float):
        return round(value, 3)
    return value
