"""Follows one session run in its Pod until its end is certain, and ends a Pod that must end.

`PodSessions` makes a `PodFollower` for each run. Messages about the run come into its inbox
(`inbox.py`); `followed_run.py` holds the state of the run, and decides how it ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field

from enso_operator.api.document import Document
from enso_operator.coordinator.session_location import SessionLocation
from enso_operator.on_loop import on_loop
from enso_operator.sessions.pods import causes, state
from enso_operator.sessions.pods.followed_run import FollowedRun
from enso_operator.sessions.pods.inbox import (
    LogLines,
    LogUnavailable,
    Message,
    PodGone,
    PodSeen,
    StreamBegins,
    StreamEnded,
    Wake,
)
from enso_operator.sessions.pods.logs import PodLogs
from enso_operator.sessions.pods.pod_api import PodApi
from enso_operator.sessions.pods.records import Records
from enso_operator.sessions.pods.records_reader import RecordsReader
from enso_operator.sessions.pods.retries import Retries
from enso_operator.sessions.pods.run_ref import RunRef
from enso_operator.sessions.pods.shared_reads import SharedReads
from enso_operator.sessions.pods.volume_wait import VolumeWait
from enso_operator.settings import PodSettings
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.control import CANCEL, SessionControl
from job_execution_framework.domain.events import Event
from job_execution_framework.service_layer.clock import Clock
from job_execution_framework.service_layer.observations import Ended, Observations

RESYNC_SECONDS = 60.0
"""Time without a message from the watch after which the Pod is read: a watch may miss changes."""
MARGIN_SECONDS = 20.0
"""Time beyond the scripts' grace that a cancelled session may take to end by itself."""
STILL_RUNS = "its Pod is gone, and nobody saw its processes end: their grace is waited for"
LOOK, CONTROL, END = "look", "control", "end"
"""Names of the calls that are tried again after a failure."""
CONTROL_SECONDS = 5.0
"""How long a session with a node may take to begin and to read a control that stops it."""
LOOK_SECONDS, END_AGAIN_SECONDS = 2.0, 30.0
"""After a request to end a Pod: pauses until the Pod is read, and until the request is repeated."""


@dataclass
class PodFollower:
    """Follows one session run."""

    run_ref: RunRef
    api: PodApi
    logs: PodLogs
    reads: SharedReads
    settings: PodSettings
    clock: Clock
    on_location_changed: Callable[[SessionLocation], None]
    """Called with the new location whenever it changes."""

    inbox: asyncio.Queue[Message] = field(default_factory=asyncio.Queue[Message], init=False)
    run: FollowedRun = field(init=False)
    _reader: RecordsReader = field(init=False)
    _retries: Retries = field(init=False)
    _volumes: VolumeWait = field(init=False)
    _expired: bool = field(default=False, init=False)
    """Whether the Pod was given a deadline in the past, so that its kubelet ends it."""
    _control_at: float = field(default=0.0, init=False)
    """When `run.control` was set."""
    _waits: tuple[str, Cause] | None = field(default=None, init=False)
    """What the session waits for: the reason of the kubelet or scheduler, and our cause."""
    _waits_since: float = field(default=0.0, init=False)
    _location: SessionLocation = field(default=SessionLocation(), init=False)

    def __post_init__(self) -> None:
        records = Records(self.run_ref.after)
        self.run = FollowedRun(self.run_ref, records)
        self._reader = RecordsReader(
            self.logs, self.api.namespace, self.run_ref.pod, self.inbox.put_nowait, records
        )
        self._retries = Retries(self.clock, self._update_location)
        self._volumes = VolumeWait(
            self.reads, self.api.namespace, self.run_ref.uid, lambda: self.inbox.put_nowait(Wake())
        )

    def on_control(self, control: SessionControl) -> None:
        """Take the control that was sent; a Pod that never reads it is ended."""
        if control != self.run.control:
            self.run.control, self._control_at = control, self.clock.now()
            self.inbox.put_nowait(Wake())

    async def observations(self) -> AsyncGenerator[Observations]:
        """Yield what the run records; the last observation says that it `ended`."""
        self.start_reading()
        try:
            if self.run.pod is None:
                await self._look()
            yield Observations(run=self.run_ref.run, records=self.events_of_pod())
            while (ended := self.ended()) is None:
                await self.intervene()
                records = await self._receive()
                progress = self.run.records.progress
                yield Observations(run=self.run_ref.run, records=records, progress=progress)
            yield Observations(run=self.run_ref.run, ended=ended)
        finally:
            self.stop()

    def stop(self) -> None:
        """Read nothing any more."""
        self._reader.stop()
        self._volumes.stop()

    def start_reading(self) -> None:
        """Begin to read what the run records."""
        self._reader.start()

    def events_of_pod(self) -> tuple[Event, ...]:
        """Return new events that follow from the Pod's state; only container scripts have some."""
        return ()

    def ended(self) -> Ended | None:
        """Return how the run ended, once that is certain."""
        return self.run.ended(self.clock.now())

    # Messages.

    async def _receive(self) -> tuple[Event, ...]:
        """Wait for messages, or until something is due; return the events among them."""
        try:
            async with asyncio.timeout(self._until_something_is_due()):
                messages = [await self.inbox.get()]
        except TimeoutError:
            await self._look()
            return self.events_of_pod()
        while not self.inbox.empty():
            messages.append(self.inbox.get_nowait())
        recorded = [event for message in messages for event in await self._take(message)]
        return (*recorded, *self.events_of_pod())

    async def _take(self, message: Message) -> list[Event]:
        """Process a message; return the events in it."""
        match message:
            case PodSeen(pod):
                self.see(pod)
            case PodGone(last):
                self.see(last)
                self._on_pod_gone()
            case StreamBegins():
                self._reader.stream_begins()
            case LogLines(lines):
                recorded = await self._reader.take(lines)
                if self.run.records.end:
                    self.run.timeouts.run_is_over(self.clock.now())
                return recorded
            case StreamEnded():
                self._reader.stream_ended()
                is_over = self.run.pod is not None and state.records_are_over(self.run.pod)
                if self.run.gone or is_over:
                    self.run.timeouts.log_was_read()
            case LogUnavailable(why):
                self._reader.log_unavailable(why)
            case Wake():
                pass
        return []

    async def _look(self) -> None:
        """Read the Pod from the API server."""
        with self._retries.attempt(LOOK):
            pod = await on_loop(self.api.get, self.run_ref.pod)
            if pod is None or pod["metadata"]["uid"] != self.run_ref.uid:
                self.run.forget_that_it_waited()
                self._on_pod_gone()
            self.see(pod)

    def _on_pod_gone(self) -> None:
        now = self.clock.now()
        self.run.gone_at = now if self.run.gone_at is None else self.run.gone_at
        self.run.timeouts.run_is_over(self.run.gone_at)
        self._reader.scheduled.set()  # no later message would set them
        self._reader.begun.set()
        self._update_location()

    def see(self, pod: Document | None) -> None:
        """Take what is known of the Pod, unless something newer is."""
        if pod is None or pod["metadata"]["uid"] != self.run_ref.uid:
            return
        if self.run.pod and _version(pod) < _version(self.run.pod):
            return
        self.run.pod, now = pod, self.clock.now()
        if state.is_over(pod):
            self.run.timeouts.run_is_over(now)
        if state.is_scheduled(pod):
            self._reader.scheduled.set()
        if state.records_have_begun(pod):
            self._reader.begun.set()
        waits, before = self._wait_cause(pod, now), self._waits
        # A kubelet alternates between reasons of one cause, such as ErrImagePull and its BackOff.
        if waits and (before is None or waits[1].reason != before[1].reason):
            self._waits_since = now
        self._waits = waits
        self._update_location()

    def _wait_cause(self, pod: Document, now: float) -> tuple[str, Cause] | None:
        return causes.waits_for(pod) or self._volumes.why(pod, now)

    def _update_location(self) -> None:
        """Report the session's location if it has changed."""
        run = self.run
        location = self.run_ref.location(
            self.api.namespace, run.pod, self._why_not_going_on(), is_gone=run.gone
        )
        if location != self._location:
            self._location = location
            self.on_location_changed(location)

    def _why_not_going_on(self) -> Cause | None:
        now = self.clock.now()
        if self.run.may_still_run(now):
            return Cause(Reason.SESSION_LOST, STILL_RUNS)
        return self._waits[1] if self._waits else self._retries.reportable(now)

    # What is done.

    async def intervene(self) -> None:
        """End a Pod that cannot begin, or that should have ended by itself."""
        run = self.run
        if run.gone or run.pod is None or state.is_over(run.pod):
            return
        if run.records.damage and (not self._is_cancelled or self._retries.is_due(CONTROL)):
            self.on_control(CANCEL)
            with self._retries.attempt(CONTROL):
                await self._call(self.api.send_control, CANCEL)
        self.see(run.pod)
        now = self.clock.now()
        again_at = self._retries.until(END) or run.end_asked_at + END_AGAIN_SECONDS
        if now >= again_at and self._is_to_be_ended(run.pod, now):
            with self._retries.attempt(END):
                await self._end(run.pod, now)

    async def _call(self, call: Callable[..., None], *more: object) -> None:
        await on_loop(call, self.run_ref.pod, self.run_ref.uid, *more)

    async def _end(self, pod: Document, now: float) -> None:
        if self.run.end_cause and state.init_container_in_the_way(pod):
            self.run.end_asked_at = now  # the Pod stays, so that people can read the init log
            await self._call(self.api.expire)
        elif state.has_begun(pod):
            self.run.end_asked_at = now
            await self._call(self.api.delete if self._expired else self.api.expire)
            self._expired = True
        elif await on_loop(self.api.give_up, pod):
            self.run.end_asked_at = now
        else:  # the Pod was changed meanwhile: it may have begun
            await self._look()
            self.inbox.put_nowait(Wake())

    def _is_to_be_ended(self, pod: Document, now: float) -> bool:
        self.run.end_cause = self.run.end_cause or self.why_to_end(pod, now)
        if self.run.end_cause:
            return True
        if self.run.control.stops and not state.has_begun(pod):
            # A session that is about to begin reads the control itself, and starts no script.
            is_stuck = not state.is_scheduled(pod) or self._waits is not None
            return is_stuck or now >= self._control_at + CONTROL_SECONDS
        return self._is_cancelled and now >= self._must_be_over()

    @property
    def _is_cancelled(self) -> bool:
        return self.run.control.cancel

    def why_to_end(self, pod: Document, now: float) -> Cause | None:
        """Return why the Pod must end, if its wait took too long."""
        waits, longest = self._wait_cause(pod, now), self._longest_wait()
        if waits and longest is not None and now >= self._waits_since + longest:
            return waits[1]
        return None

    def _longest_wait(self) -> float | None:
        word = self._waits[0] if self._waits else ""
        if word in causes.HOPELESS:
            return 0.0
        if word in (causes.UNSCHEDULABLE, causes.GATED):
            return self.settings.schedule_patience_seconds
        return self.settings.pull_patience_seconds

    def _must_be_over(self) -> float:
        return self._control_at + self.settings.grace_seconds + MARGIN_SECONDS

    def _until_something_is_due(self) -> float:
        now = self.clock.now()
        soon = [when - now for when in self.due() if when > now]
        return min([RESYNC_SECONDS, *soon])

    def due(self) -> list[float]:
        """Return the times at which the Pod may have to be ended."""
        run = self.run
        again = (LOOK_SECONDS, END_AGAIN_SECONDS) if run.end_asked_at else ()
        times = [run.end_asked_at + seconds for seconds in again]
        if self._waits and (longest := self._longest_wait()) is not None:
            times.append(self._waits_since + longest)
        if run.gone_at is not None:
            times.append(run.gone_at + self.run_ref.settle_seconds)
        times += self._volumes.due() + run.timeouts.due() + self._retries.due()
        if run.control.stops:
            times += [self._control_at + CONTROL_SECONDS, self._must_be_over()]
        return times


def _version(pod: Document) -> int:
    return int(pod["metadata"]["resourceVersion"])
