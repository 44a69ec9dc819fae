"""Posts Kubernetes Events of one job, with retries for a limited time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager

from enso_operator.api.document import Document
from enso_operator.blocking import MOST_OF_A_JOB
from enso_operator.controller.delayed_starts import DelayedStarts, Told, committed_start
from enso_operator.coordinator.obstacles import without_numbers
from enso_operator.coordinator.publisher import Publisher
from enso_operator.coordinator.token_bucket import TokenBucket
from enso_operator.kube.client import NoSuchObject, Refused
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.kube.event_recorder import Recorder
from enso_operator.observability.metrics import Metrics
from job_execution_framework.domain.errors import EnsoError, Unavailable
from job_execution_framework.domain.events import COORDINATOR, Event
from job_execution_framework.domain.job import Job
from job_execution_framework.service_layer.clock import Clock
from job_execution_framework.service_layer.unit_of_work import Listener

AT_ONCE, A_SECOND = 300, 5
"""Rate limit of a job's Events. The largest job has 200 Events if no script fails."""
LEFT_OUT = (
    f"more happens in this job than {AT_ONCE} Events tell, and then {A_SECOND} a second: "
    "the others are left out, and its status says how each script stands"
)
PATIENCE_SECONDS = 60.0
"""How long a job waits for its Events to be accepted; the status says the same as they."""
_log = logging.getLogger(__name__)


class Note:
    """Reasons of the operator's own Events, all of them warnings."""

    NOT_GOING_ON = "NotGoingOn"
    """Something keeps the job from going on; the message says what."""
    EVENTS_LEFT_OUT = "EventsLeftOut"
    """More happens in the job than the operator tells; its status has it all."""


class EventPublisher(Publisher):
    """Posts a job's events as Kubernetes Events, before their commit.

    An Event's name is derived from its content: after a failed commit or a restart the same Event
    is posted again under the same name, so none is lost or doubled.
    """

    def __init__(
        self,
        ensojob: EnsoJobObject,
        recorder: Recorder,
        metrics: Metrics,
        clock: Clock,
        listener: Listener,
    ) -> None:
        super().__init__(listener)
        self.ensojob = ensojob
        """The object that Events are about, as it was last loaded or written."""
        self._recorder, self._metrics, self._clock = recorder, metrics, clock
        self._failing_since: float | None = None
        self._posted: set[str] = set()
        """Names of Events that exist: after a failure only the others are posted again."""
        self._posted_notes: set[tuple[str, str]] = set()
        """Reason and message of the operator's own Events; each is posted once."""
        self._bucket = TokenBucket(AT_ONCE, A_SECOND, clock.now())
        self._starts = DelayedStarts()
        self._is_first = True
        """Whether nothing was announced yet: a start may be left from an earlier operator."""

    async def announce(self, job: Job, events: Sequence[Event]) -> None:
        """Post the new events of the job; the commit after it ends a `kubectl wait`.

        Raises Unavailable, for PATIENCE_SECONDS at most.
        """
        if job.events and not self.ensojob.raw_status.get("scripts"):
            events = [job.events[0], *events]  # that it was added, which its creation says
        if self._is_first:
            events = [*committed_start(self.ensojob, job), *events]
        documents = self._recorder.documents(self.ensojob, job, events)
        told = self._starts.sorted(zip(events, documents, strict=True), self._clock.now())
        self._is_first = False
        try:
            await self._tell(job, told)
        except (Refused, NoSuchObject, Unavailable) as error:
            self._raise_while_patient(error)
        self._starts.forget(told)

    @property
    def due(self) -> float | None:
        """When the next start of a script is to be told."""
        return self._starts.due

    async def _tell(self, job: Job, told: Sequence[Told]) -> None:
        recorded = [document for event, document in told if event.origin not in (COORDINATOR, "")]
        ours = [document for event, document in told if event.origin in (COORDINATOR, "")]
        await self._post_all(self._allowed(recorded))
        if self._new(recorded):
            await self._note(job, Note.EVENTS_LEFT_OUT, LEFT_OUT)
        # One after the other: whoever posts the rest after a crash decides it anew, and later.
        for document in ours:
            await self._post_all([document])

    async def report_blocked(self, job: Job | None, why: str) -> None:
        """Post once what keeps the job from going on. Raises Unavailable, as `announce` does."""
        starts = self._starts.all()
        try:
            if job and starts:
                await self._tell(job, starts)
            await self._note(job, Note.NOT_GOING_ON, why)
        except (Refused, NoSuchObject, Unavailable) as error:
            self._raise_while_patient(error)
        self._starts.forget(starts)

    def committed(self, job: Job, events: Sequence[Event]) -> None:
        """Forget the names of Events that a later turn cannot post again."""
        super().committed(job, events)
        self._posted.clear()

    def reconciling(self) -> AbstractContextManager[object]:
        """Measure how long it takes to decide what is next."""
        return self._metrics.reconciling()

    def committing(self) -> AbstractContextManager[object]:
        """Measure how long a commit takes."""
        return self._metrics.committing()

    async def _note(self, job: Job | None, reason: str, message: str) -> None:
        """Post an Event of the operator's own, once."""
        words = reason, without_numbers(message)
        if words in self._posted_notes:
            return
        note = self._recorder.note(self.ensojob, job, reason, message, self._clock.now())
        _log.warning("%s/%s: %s", self.ensojob.namespace, self.ensojob.name, message)
        await self._post(note)
        self._posted_notes.add(words)

    def _new(self, documents: Sequence[Document]) -> list[Document]:
        """Return the documents that are not known to exist."""
        return [document for document in documents if _name(document) not in self._posted]

    def _allowed(self, documents: Sequence[Document]) -> list[Document]:
        """Return the first of the new ones, as many as may be posted now."""
        new = self._new(documents)
        allowed = new[: max(0, int(self._bucket.left(self._clock.now())))]
        self._bucket.spend(len(allowed))
        return allowed

    def _raise_while_patient(self, error: EnsoError) -> None:
        """Raise a temporary error until PATIENCE_SECONDS are over; then go on without Events."""
        now = self._clock.now()
        self._failing_since = self._failing_since or now
        if isinstance(error, Unavailable) and now < self._failing_since + PATIENCE_SECONDS:
            raise error
        name = f"{self.ensojob.namespace}/{self.ensojob.name}"
        _log.warning("%s: Events are not told, the status has it all: %s", name, error)

    async def _post_all(self, documents: Sequence[Document]) -> None:
        """Post the documents, a few at once; after all were tried, raise the first failure."""
        new = self._new(documents)
        waiting, failures = iter(new), list[EnsoError]()

        async def post_in_turn() -> None:
            for document in waiting:
                try:
                    await self._post(document)
                except EnsoError as error:
                    failures.append(error)

        if len(new) > 1:
            await asyncio.gather(*(post_in_turn() for _ in new[:MOST_OF_A_JOB]))
        else:
            await post_in_turn()
        for failure in failures:
            raise failure

    async def _post(self, document: Document) -> None:
        try:
            is_new = await self._recorder.send(document)
            self._metrics.posted("posted" if is_new else "known")
        except EnsoError:
            self._metrics.posted("failed")
            raise
        self._failing_since = None
        self._posted.add(_name(document))


def _name(document: Document) -> str:
    return str(document["metadata"]["name"])
