"""Domain events as Kubernetes Events on the EnsoJob, which `kubectl describe` shows.

An Event's name (`event_names.py`) is derived from the identity of the domain event, so that posting
it again, after a restart or by a second operator, is a conflict and not a second Event.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from enso_operator.api.document import Document
from enso_operator.api.v1alpha1 import API_VERSION, GROUP
from enso_operator.coordinator.obstacles import without_numbers
from enso_operator.kube.client import Taken, path_of
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.kube.event_names import name_of, name_of_note
from enso_operator.kube.loop_client import LoopClient
from enso_operator.kube.status.fields import one_line, time_at
from enso_operator.kube.status.write import card_of
from job_execution_framework.domain import events
from job_execution_framework.domain.events import Event
from job_execution_framework.domain.job import Job

REPORTER = f"{GROUP}/operator"
WARNINGS = (
    events.ScriptFailed,
    events.ScriptInterrupted,
    events.InterpreterLost,
    events.JobFailed,
)
SAID: dict[type[Event], str] = {
    events.JobStarted: "the job was started",
    events.JobSuspended: "nothing more is started; a running script ends first",
    events.JobUnsuspended: "the job goes on",
    events.JobPaused: "nothing more is started until somebody resumes it",
    events.JobUnpaused: "the job goes on",
    events.JobResumed: "the job goes on after its end",
    events.JobSucceeded: "every script is done",
    events.JobCancelled: "the job was stopped",
    events.FinallyCancelled: "the finally scripts were stopped",
    events.InterpreterLost: "what the session's scripts had in memory is gone",
}
"""Messages for domain events that have no message of their own."""
_SECONDS, _MICROSECONDS = len("1970-01-01T00:00:00"), len("1970-01-01T00:00:00.000000")


@dataclass(frozen=True)
class _Said:
    """What one Event says."""

    name: str
    reason: str
    message: str
    at: float
    warning: bool


class Recorder:
    """Posts events. `instance` tells one operator from another."""

    def __init__(self, client: LoopClient, instance: str) -> None:
        self._client, self._instance = client, instance[:128]

    def documents(self, ensojob: EnsoJobObject, job: Job, new: Sequence[Event]) -> list[Document]:
        """Return the Events that tell of the `new` events of the job, the last that it has."""
        resumes = job.resumes - sum(isinstance(event, events.JobResumed) for event in new)
        about, documents = _about(ensojob), list[Document]()
        for event in new:
            resumes += isinstance(event, events.JobResumed)
            said = _Said(
                name_of(ensojob, job, event, resumes),
                type(event).__name__,
                _message(job, event),
                event.at,
                warning=is_warning(event),
            )
            documents.append(self._document(about, said))
        return documents

    def note(
        self, ensojob: EnsoJobObject, job: Job | None, reason: str, message: str, at: float
    ) -> Document:
        """Return an Event of the operator's own, a warning. The same words are told once.

        Numbers do not count: those of a quota change with every other job.
        """
        message = one_line(message)
        name = name_of_note(ensojob, job, reason, without_numbers(message))
        return self._document(_about(ensojob), _Said(name, reason, message, at, warning=True))

    async def send(self, document: Document) -> bool:
        """Post an Event; return False where it was posted before."""
        try:
            path = path_of(document["metadata"]["namespace"], "events", "v1")
            await self._client.create(path, document)
        except Taken:
            return False
        return True

    def _document(self, about: Document, said: _Said) -> Document:
        time = time_at(said.at).isoformat(timespec="microseconds")
        second = f"{time[:_SECONDS]}Z"
        return {
            "metadata": {"name": said.name, "namespace": about["namespace"]},
            "involvedObject": about,
            "type": "Warning" if said.warning else "Normal",
            "reason": said.reason,
            "action": said.reason,
            "message": said.message,
            "eventTime": f"{time[:_MICROSECONDS]}Z",
            "firstTimestamp": second,
            "lastTimestamp": second,
            "count": 1,
            "source": {"component": REPORTER},
            "reportingComponent": REPORTER,
            "reportingInstance": self._instance,
        }


def _about(ensojob: EnsoJobObject) -> Document:
    """Return what all Events of the job are about."""
    return {
        "apiVersion": API_VERSION,
        "kind": "EnsoJob",
        "name": ensojob.name,
        "namespace": ensojob.namespace,
        "uid": ensojob.uid,
    }


def is_warning(event: Event) -> bool:
    """Whether the event tells of something that went wrong."""
    return isinstance(event, WARNINGS) or (
        isinstance(event, events.SessionEnded) and bool(event.cause or event.killed)
    )


def _message(job: Job, event: Event) -> str:
    card = card_of(job) if event == job.failure else None
    return card.line if card else one_line(event.details() or SAID.get(type(event), ""))
