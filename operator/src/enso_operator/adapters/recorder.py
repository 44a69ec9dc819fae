"""Domain events as Kubernetes Events on the EnsoJob, which `kubectl describe` shows.

An Event's name is made from the identity of what it tells, so that whoever posts the same thing
again, after a restart or beside a second operator, collides instead of doubling it. Names sort as
things happened: Events of one second are shown in that order.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from kubernetes.client import ApiClient

from enso_operator.adapters.kube import GROUP, Document, Taken, create_event
from enso_operator.adapters.status import card_of
from enso_operator.adapters.status_fields import one_line, time_at
from enso_operator.adapters.unit_of_work import Seen
from enso_operator.api.v1alpha1 import API_VERSION
from enso_operator.obstacles import without_numbers
from job_execution_framework.domain import events
from job_execution_framework.domain.events import COORDINATOR, Event
from job_execution_framework.domain.job import Job

REPORTER = f"{GROUP}/operator"
WARNINGS = (
    events.ScriptFailed,
    events.ScriptInterrupted,
    events.InterpreterLost,
    events.JobFailed,
)
SAID: dict[type[Event], str] = {
    events.JobStarted: "the job was let go",
    events.JobSuspended: "nothing more is started; a running script ends first",
    events.JobUnsuspended: "the job goes on",
    events.JobResumed: "the job goes on after its end",
    events.JobSucceeded: "every script is done",
    events.JobCancelled: "the job was stopped",
    events.InterpreterLost: "what the session's scripts had in memory is gone",
}
"""What is told of events that have nothing to say themselves."""
_LAST = 999_999
_RUN_NUMBER = re.compile(r"-([0-9]+)\Z")


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

    def __init__(self, client: ApiClient, instance: str) -> None:
        self._client, self._instance = client, instance[:128]

    def post(self, about: Seen, job: Job, new: Sequence[Event]) -> None:
        """Post the `new` events of the job, the last that it has; repeat it where it raised."""
        for document in self.documents(about, job, new):
            self.send(document)

    def documents(self, about: Seen, job: Job, new: Sequence[Event]) -> list[Document]:
        """Return the Events that tell of the `new` events of the job, the last that it has."""
        resumes = job.resumes - sum(isinstance(event, events.JobResumed) for event in new)
        documents: list[Document] = []
        for event in new:
            resumes += isinstance(event, events.JobResumed)
            said = _Said(
                _name(about, job, event, resumes),
                type(event).__name__,
                _message(job, event),
                event.at,
                warning=is_warning(event),
            )
            documents.append(self._document(about, said))
        return documents

    def note(self, about: Seen, reason: str, message: str, at: float) -> Document:
        """Return an Event of the operator's own, a warning. The same words are told once.

        Numbers do not count: those of a quota change with every other job.
        """
        message = one_line(message)
        words = without_numbers(message)
        digest = hashlib.sha256(f"{about.uid}/{reason}/{words}".encode()).hexdigest()[:16]
        return self._document(
            about, _Said(f"{about.name}.note.{digest}", reason, message, at, warning=True)
        )

    def send(self, document: Document) -> bool:
        """Post an Event; return False where it was posted before."""
        try:
            create_event(self._client, document["metadata"]["namespace"], document)
        except Taken:
            return False
        return True

    def _document(self, about: Seen, said: _Said) -> Document:
        time = time_at(said.at)
        return {
            "metadata": {"name": said.name, "namespace": about.namespace},
            "involvedObject": {
                "apiVersion": API_VERSION,
                "kind": "EnsoJob",
                "name": about.name,
                "namespace": about.namespace,
                "uid": about.uid,
            },
            "type": "Warning" if said.warning else "Normal",
            "reason": said.reason,
            "action": said.reason,
            "message": said.message,
            "eventTime": f"{time:%Y-%m-%dT%H:%M:%S.%fZ}",
            "firstTimestamp": f"{time:%Y-%m-%dT%H:%M:%SZ}",
            "lastTimestamp": f"{time:%Y-%m-%dT%H:%M:%SZ}",
            "count": 1,
            "source": {"component": REPORTER},
            "reportingComponent": REPORTER,
            "reportingInstance": self._instance,
        }


def is_warning(event: Event) -> bool:
    """Whether the event tells of something that went wrong."""
    return isinstance(event, WARNINGS) or (
        isinstance(event, events.SessionEnded) and bool(event.cause or event.killed)
    )


def _message(job: Job, event: Event) -> str:
    card = card_of(job) if event == job.failure else None
    return card.line if card else one_line(event.told() or SAID.get(type(event), ""))


def _name(about: Seen, job: Job, event: Event, resumes: int) -> str:
    """Return the Event's name: the job's, a number that sorts, and the identity."""
    identity = "/".join([about.uid, type(event).__name__, *_identity(event, resumes)])
    digest = hashlib.sha256(identity.encode()).hexdigest()[:16]
    session, run, place = _place(job, event)
    return f"{about.name}.{resumes:02x}{session:02x}{run:04x}{place:06x}.{digest}"


def _identity(event: Event, resumes: int) -> list[str]:
    """What a session wrote has a number for ever; the coordinator may do it again, otherwise."""
    if event.origin not in (COORDINATOR, ""):
        return [event.origin, str(event.seq)]
    if isinstance(event, events.ScriptEvent):
        return [str(resumes), event.script, str(event.attempt)]
    if isinstance(event, (events.SessionOpened, events.SessionEnded)):
        return [event.run]
    if isinstance(event, (events.JobSuspended, events.JobUnsuspended)):
        return [str(resumes), str(event.seq)]  # they alone may happen again and again
    return [str(resumes)]


def _place(job: Job, event: Event) -> tuple[int, int, int]:
    """Return where among the events of its resume it stands: session, run of it, number in that."""
    sessions = list(dict.fromkeys(script.session for script in job.scripts))
    if isinstance(event, events.ScriptEvent) and event.origin in (COORDINATOR, ""):
        session = job.script(event.script).session
        return sessions.index(session) + 1, job.runs.get(session, 0), _LAST - 1000 + event.number
    run = (
        event.run
        if isinstance(event, (events.SessionOpened, events.SessionEnded))
        else event.origin
    )
    session, number = _RUN_NUMBER.sub("", run), _RUN_NUMBER.search(run)
    if session in sessions and number:
        place = _LAST if isinstance(event, events.SessionEnded) else event.seq
        place = 0 if isinstance(event, events.SessionOpened) else place
        return sessions.index(session) + 1, int(number[1]), place
    return (255, 0, 0) if _ends(event) else (0, 0, event.seq)


def _ends(event: Event) -> bool:
    return isinstance(event, (events.JobSucceeded, events.JobFailed, events.JobCancelled))
