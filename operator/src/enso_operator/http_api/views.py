"""How the HTTP API shows a job."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from job_execution_framework.domain.cause import Cause, Frame
from job_execution_framework.domain.events import Event
from job_execution_framework.domain.failure_card import FailureCard
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import Container, Function, LibraryScript, Script, Source
from job_execution_framework.domain.secret import shown


@dataclass(frozen=True)
class Shown:
    """A job at one moment."""

    jobid: str
    state: str
    card: FailureCard | None
    """Why it failed, if it did."""
    job: Job | None
    """None where what is kept under this id makes no job."""


def job_document(view: Shown) -> dict[str, Any]:
    """Return the job as an `http_models.JobShown`."""
    job, card = view.job, view.card
    return {
        "jobid": view.jobid,
        "state": view.state,
        "failure": card.line if card else None,
        "why": list(card.why) if card else None,
        "scripts": [_script(job, script) for script in job.scripts] if job else [],
        "events": [_event(event) for event in job.events] if job else [],
    }


def _script(job: Job, script: Script) -> dict[str, Any]:
    latest = job.rows[script.name].latest
    return {
        "name": script.name,
        "script": _work(script),
        "parameters": shown(script.parameters),
        "state": str(latest.state),
        "attempt": latest.number,
        "seconds": round(latest.seconds, 3),
        "cause": _plain(latest.cause),
        "output": latest.output,
    }


def _work(script: Script) -> str:
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


def _event(event: Event) -> dict[str, Any]:
    at = datetime.fromtimestamp(event.at, UTC).isoformat(timespec="milliseconds")
    document = {"type": type(event).__name__, "at": at.replace("+00:00", "Z"), "text": str(event)}
    return document | _document(event, leave_out=("at", "origin", "seq"))


def _document(part: Event | Cause, leave_out: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the fields that say something."""
    values = {one.name: getattr(part, one.name) for one in fields(part)}
    return {
        key: _plain(value)
        for key, value in values.items()
        if key not in leave_out and value not in (None, "", (), {})
    }


def _plain(value: object) -> object:
    if isinstance(value, Cause):
        return _document(value)
    if isinstance(value, Frame):
        return str(value)
    if isinstance(value, float):
        return round(value, 3)
    return value
