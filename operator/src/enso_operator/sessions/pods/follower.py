"""Follows one session run in its Pod to its certain end, and sees to it that it comes to one.

What a run records comes from its log (`records.py`), all else from the Pod's own state
(`state.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace

from enso_operator.blocking import in_thread
from enso_operator.coordinator.session_location import SessionLocation
from enso_operator.kube.client import Document
from enso_operator.sessions.pods import state
from enso_operator.sessions.pods.boot import OURS
from enso_operator.sessions.pods.hearing import Hearing
from enso_operator.sessions.pods.logs import PodLogs
from enso_operator.sessions.pods.patience import Patience
from enso_operator.sessions.pods.pod_api import PodApi
from enso_operator.sessions.pods.records import News, Records, Stream, Unheard
from enso_operator.sessions.pods.run_ref import PodGone, RunRef
from enso_operator.sessions.pods.tries import Tries
from enso_operator.sessions.pods.volume_wait import Delay
from enso_operator.settings import PodSettings
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.events import Event
from job_execution_framework.domain.steps import SessionControl
from job_execution_framework.runtime import summary
from job_execution_framework.service_layer.clock import Clock
from job_execution_framework.service_layer.observations import Ended, Observations, Outcome
from job_execution_framework.service_layer.records import End

RESYNC_SECONDS = 60.0
"""How long nothing may be heard of a Pod until it is looked at: a watch may miss something."""
MARGIN_SECONDS = 20.0
"""Beyond the scripts' grace: how long a session that was cancelled may take to end by itself."""
STILL_RUNS = "its Pod is gone, and nobody saw its processes end: their grace is waited for"
LOOK, TELL, END = "look", "tell", "end"
"""What may be tried in vain."""
FORCED = "somebody deleted its Pod by force, and nobody saw its processes end"
HEARS_SECONDS = 5.0
"""How long a session that has a machine may take to begin, and to hear that it is to end."""
LOOK_SECONDS, END_AGAIN_SECONDS = 2.0, 30.0
"""After we had a Pod ended: until it is looked whether it is, and until that is tried again."""


@dataclass
class PodFollower:
    """One run that is followed."""

    subject: RunRef
    calls: PodApi
    logs: PodLogs
    settings: PodSettings
    clock: Clock
    on_location_changed: Callable[[SessionLocation], None]
    """Told where the session is, whenever that changes."""

    inbox: asyncio.Queue[Document | PodGone | News | None] = field(
        default_factory=asyncio.Queue[Document | PodGone | News | None], init=False
    )
    """What the watch of Pods brings, and the log; None where something may be due."""
    pod: Document | None = field(default=None, init=False)
    gone_at: float | None = field(default=None, init=False)
    """Since when it is known that the Pod is no more."""
    because: Cause | None = field(default=None, init=False)
    """Why we end the Pod."""
    control: SessionControl | None = field(default=None, init=False)
    ended_at: float = field(default=0.0, init=False)
    """When we had the Pod ended, 0 while we did not."""
    _expired: bool = field(default=False, init=False)
    """Whether the Pod has heard that it had its time."""
    _tries: Tries = field(init=False)
    _hearing: Hearing = field(init=False)
    _told_at: float = field(default=0.0, init=False)
    _waits: str = field(default="", init=False)
    """The kubelet's or the scheduler's word for what the session waits for."""
    _waits_for: str = field(default="", init=False)
    """Our word for it, as a kubelet has several that take turns."""
    _why_waits: Cause | None = field(default=None, init=False)
    _waits_since: float = field(default=0.0, init=False)
    _place: SessionLocation = field(default=SessionLocation(), init=False)
    _waited: Patience = field(default_factory=Patience, init=False)
    _delay: Delay = field(init=False)

    def __post_init__(self) -> None:
        self._delay = Delay(self.calls, self.subject.uid)
        where = self.calls.namespace, self.subject.pod
        records = Records(self.subject.after)
        self._hearing = Hearing(self.logs, *where, self.inbox.put_nowait, records)
        self._tries = Tries(self.clock, self._tell_place)

    def tell(self, control: SessionControl) -> None:
        """Know what the session was told; it may never come to hear it."""
        self.control, self._told_at = control, self.clock.now()
        self.inbox.put_nowait(None)

    async def observations(self) -> AsyncIterator[Observations]:
        """Yield what the run records; the last observation says that it `ended`."""
        self.listen()
        try:
            await self._look()
            if self.gone:
                self._hearing.scheduled.set()  # nobody will say that it was
            yield Observations(run=self.subject.run, records=self.seen_in_pod())
            while (ended := self.ended()) is None:
                await self.see_to_it()
                yield Observations(run=self.subject.run, records=await self._hear())
            yield Observations(run=self.subject.run, ended=ended)
        finally:
            self._hearing.stop()

    def listen(self) -> None:
        """Begin to read what the run records."""
        self._hearing.start()

    @property
    def _records(self) -> Records:
        return self._hearing.records

    # What is heard.

    async def _hear(self) -> tuple[Event, ...]:
        """Wait for news; return the records among them."""
        try:
            async with asyncio.timeout(self._until_something_is_due()):
                news = [await self.inbox.get()]
        except TimeoutError:
            await self._look()
            return self.seen_in_pod()
        while not self.inbox.empty():
            news.append(self.inbox.get_nowait())
        recorded = [event for one in news for event in await self._take(one)]
        return (*recorded, *self.seen_in_pod())

    def seen_in_pod(self) -> tuple[Event, ...]:
        """Return the events that the Pod's own state tells of: those of a container script."""
        return ()

    async def _take(self, news: Document | PodGone | News | None) -> list[Event]:
        """Take in what was heard; return the records among it."""
        recorded: list[Event] = []
        if isinstance(news, list):
            recorded = await self._hearing.lines(news)
            if self._records.end:
                self._waited.over(self.clock.now())
        elif isinstance(news, (Stream, Unheard)):
            is_over = self.gone or (self.pod is not None and state.records_are_over(self.pod))
            if self._hearing.word(news) and is_over:
                self._waited.answered()
        elif isinstance(news, PodGone):
            self._see(news.last)
            self._is_gone()
        else:
            self._see(news)
        return recorded

    async def _look(self) -> None:
        """Ask how the Pod is now."""
        with self._tries.of(LOOK):
            pod = await in_thread(self.calls.get, self.subject.pod)
            if pod is None or pod["metadata"]["uid"] != self.subject.uid:
                self._is_gone()
            self._see(pod)

    def _is_gone(self) -> None:
        self.gone_at = self.clock.now() if self.gone_at is None else self.gone_at
        self._waited.over(self.gone_at)
        self._hearing.begun.set()
        self._tell_place()

    @property
    def gone(self) -> bool:
        """Whether the Pod is no more."""
        return self.gone_at is not None

    def _see(self, pod: Document | None) -> None:
        if pod is None or pod["metadata"]["uid"] != self.subject.uid:
            return
        if self.pod and _version(pod) < _version(self.pod):
            return
        self.pod = pod
        if state.is_over(pod):
            self._waited.over(self.clock.now())
        if state.is_scheduled(pod):
            self._hearing.scheduled.set()
        if state.records_have_begun(pod):
            self._hearing.begun.set()
        waits = state.waits_for(pod) or self._delay.why(pod, self.clock.now())
        if waits and waits[1].reason != self._waits_for:
            self._waits_since = self.clock.now()
        self._waits, self._waits_for = (waits[0], waits[1].reason) if waits else ("", "")
        self._why_waits = waits[1] if waits else None
        self._tell_place()

    def _tell_place(self) -> None:
        """Tell where the session is, if that is news."""
        waits = self._what_it_waits_for()
        place = self.subject.location(self.calls.namespace, self.pod, waits, is_gone=self.gone)
        if place != self._place:
            self._place = place
            self.on_location_changed(place)

    def _what_it_waits_for(self) -> Cause | None:
        if self._may_still_run():
            return Cause(Reason.SESSION_LOST, STILL_RUNS)
        return self._why_waits or self._tries.told(self.clock.now())

    # What is done.

    async def see_to_it(self) -> None:
        """End a Pod that will not begin, or that should have ended by itself."""
        if self.gone or self.pod is None or state.is_over(self.pod):
            return
        if self._records.damage and (not self._is_cancelled or self._tries.is_again(TELL)):
            self.tell(SessionControl.CANCEL)
            with self._tries.of(TELL):
                await self._ask(self.calls.tell, SessionControl.CANCEL.value)
        await self._delay.look(self.clock.now())
        self._see(self.pod)
        now = self.clock.now()
        again_at = self._tries.until(END) or self.ended_at + END_AGAIN_SECONDS
        if now >= again_at and self._is_to_be_ended(self.pod, now):
            with self._tries.of(END):
                await self._end(self.pod, now)

    async def _ask(self, call: Callable[..., None], *more: str) -> None:
        await in_thread(call, self.subject.pod, self.subject.uid, *more)

    async def _end(self, pod: Document, now: float) -> None:
        if self.because and state.init_container_in_the_way(pod):
            self.ended_at = now  # the Pod stays: the log of that container tells why
            await self._ask(self.calls.expire)
        elif state.has_begun(pod):
            self.ended_at = now
            await self._ask(self.calls.delete if self._expired else self.calls.expire)
            self._expired = True
        elif await in_thread(self.calls.give_up, pod):
            self.ended_at = now
        else:  # it changed: perhaps it begins
            await self._look()
            self.inbox.put_nowait(None)

    def _is_to_be_ended(self, pod: Document, now: float) -> bool:
        self.because = self.because or self.why_to_end(pod, now)
        if self.because:
            return True
        if self.control and not state.has_begun(pod):
            # Where it may begin at any moment, it hears the word itself and starts nothing.
            is_stuck = not state.is_scheduled(pod) or self._waits
            return bool(is_stuck) or now >= self._told_at + HEARS_SECONDS
        return self._is_cancelled and now >= self._must_be_over()

    @property
    def _is_cancelled(self) -> bool:
        return self.control is SessionControl.CANCEL

    def why_to_end(self, pod: Document, now: float) -> Cause | None:
        """Return why the Pod has had its time, if it has: what it waits for does not come."""
        waits, patience = state.waits_for(pod) or self._delay.why(pod, now), self._patience()
        if waits and patience is not None and now >= self._waits_since + patience:
            return waits[1]
        return None

    def _patience(self) -> float | None:
        if self._waits in state.HOPELESS:
            return 0.0
        if self._waits in (state.UNSCHEDULABLE, state.GATED):
            return self.settings.schedule_patience_seconds
        return self.settings.pull_patience_seconds

    def _must_be_over(self) -> float:
        return self._told_at + self.settings.grace_seconds + MARGIN_SECONDS

    def _until_something_is_due(self) -> float:
        now = self.clock.now()
        soon = [when - now for when in self.due() if when > now]
        return min([RESYNC_SECONDS, *soon])

    def due(self) -> list[float]:
        """Return the times at which the Pod may have to be ended."""
        again = (LOOK_SECONDS, END_AGAIN_SECONDS) if self.ended_at else ()
        times = [self.ended_at + seconds for seconds in again]
        if self._waits and (patience := self._patience()) is not None:
            times.append(self._waits_since + patience)
        if self.gone_at is not None:
            times.append(self.gone_at + self.subject.settle_seconds)
        times += self._delay.due() + self._waited.due() + self._tries.due()
        told = [self._told_at + HEARS_SECONDS, self._must_be_over()]
        return times + told if self.control else times

    # How it ended.

    def ended(self) -> Ended | None:
        """Return how the run ended, once that is certain."""
        log, now = self._records, self.clock.now()
        if log.end and log.complete:
            return self._as_recorded(log.end, now)
        if not (self.gone or (self.pod and state.is_over(self.pod))):
            return None
        if self._never_began():
            cause = None if self.control and not self.because else self._why_over()
            return Ended(log_is_complete=True, cause=cause)
        if self._may_still_run() or self._may_hear_more(now):
            return None
        end = self._as_summed_up()
        if log.complete:
            end = Ended(log_is_complete=True, cause=self._why_over())
        return None if self._may_see_more(end.cause, now) else end

    def _as_recorded(self, end: End, now: float) -> Ended | None:
        """Return the end of a run that said itself how it ended."""
        cause = self._why_broken(end.broken) if end.broken else None
        if self._may_see_more(cause, now):
            return None
        return Ended(log_is_complete=True, cause=cause, killed=end.killed)

    def _as_summed_up(self) -> Ended:
        """Return the end of a run whose log is not complete: its last words may know more."""
        outcomes, is_all = self._last_words()
        cause = self._why_over() if self._records.damage or not is_all else None
        if cause and self._hearing.trouble:
            unread = f"its log could not be read: {self._hearing.trouble}"
            cause = replace(cause, message=f"{cause.message}; {unread}")
        return Ended(log_is_complete=is_all, cause=cause, outcomes=outcomes)

    def _last_words(self) -> tuple[tuple[Outcome, ...], bool]:
        """Return what the session's summary tells, and whether that is all."""
        found = summary.read(state.told(self.pod), self.subject.scripts) if self.pod else None
        return found or ((), False)

    def _may_hear_more(self, now: float) -> bool:
        """Whether what is missing of the log may still be read."""
        if self._records.drained or self._records.damage:
            return False
        return self._waited.has_log(now, gone=self.gone, summed_up=self._last_words()[1])

    def _may_see_more(self, cause: Cause | None, now: float) -> bool:
        """Whether it is not known why the run was lost, and its kubelet may still say that."""
        if cause is None or cause.reason != Reason.SESSION_LOST or self._records.damage:
            return False
        if self.gone or self.pod is None or state.is_final(self.pod):
            return False
        return not state.is_disturbed(self.pod) and self._waited.has_status(now)

    def _may_still_run(self) -> bool:
        """Whether the Pod was removed by force, and its node may not have ended it yet."""
        if self.gone_at is None or (self.pod and state.is_over(self.pod)):
            return False
        return self.clock.now() < self.gone_at + self.subject.settle_seconds

    def _never_began(self) -> bool:
        """Whether it is certain that nothing of the session ran."""
        if self.pod is None or state.has_begun(self.pod) or self._records.seq:
            return False
        if not state.is_scheduled(self.pod):
            return True
        is_over = state.is_over(self.pod) or bool(self.gone and self.ended_at)
        # What became of a node's Pods is not known where it is others who say that they are over.
        return is_over and state.why_over(self.pod).reason != Reason.NODE_LOST

    def _why_broken(self, said: str) -> Cause:
        """Say what ended a session from outside; else what of our own broke in it."""
        if self.pod and state.is_disturbed(self.pod):
            return self._ours() or state.why_over(self.pod)
        return Cause(Reason.SESSION_LOST, said)

    def _why_over(self) -> Cause:
        if self._records.damage:
            return Cause(Reason.SESSION_LOST, f"its journal is damaged: {self._records.damage}")
        if self.pod is None:
            return Cause(Reason.SESSION_LOST, "its Pod is gone")
        cause, said = self._ours() or state.why_over(self.pod), state.told(self.pod)
        if cause.reason != Reason.SESSION_LOST:
            return cause
        if self.gone and not state.is_over(self.pod) and state.is_leaving(self.pod):
            return Cause(cause.reason, FORCED)
        if self._records.seq or not said or summary.read(said, self.subject.scripts) is not None:
            return cause
        if said.startswith(OURS):  # why nothing began
            return Cause(Reason.INTERPRETER_DID_NOT_START, said.removeprefix(OURS).strip())
        return Cause(cause.reason, f"{cause.message}: {said}")

    def _ours(self) -> Cause | None:
        if self.because or not self.ended_at:
            return self.because
        return Cause(Reason.CANCELLED, "the session was ended, because it was cancelled")


def _version(pod: Document) -> int:
    return int(pod["metadata"]["resourceVersion"])
