"""Follows a container script: its Pod's state is all that there is, so its events are made here.

They carry the run's name and numbers of their own, as what a session records does: seen again, they
change nothing.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from datetime import datetime

from enso_operator.blocking import patiently
from enso_operator.kube.client import Document, Refused
from enso_operator.sessions.pods import names, state
from enso_operator.sessions.pods.follower import MARGIN_SECONDS, PodFollower
from job_execution_framework.domain.cause import LINES_KEPT, Cause, Reason
from job_execution_framework.domain.events import (
    Event,
    ScriptEvent,
    ScriptFailed,
    ScriptStarted,
    ScriptSucceeded,
)
from job_execution_framework.domain.lines import lines_of
from job_execution_framework.domain.steps import SessionControl
from job_execution_framework.service_layer.observations import Ended
from job_execution_framework.service_layer.records import from_line

_log = logging.getLogger(__name__)


@dataclass
class ContainerFollower(PodFollower):
    """One container script that is followed."""

    timeout_seconds: float | None = None

    _seen: list[Event] = field(default_factory=list[Event], init=False)
    _asked: bool = field(default=False, init=False)
    """The Pod's own Events were looked at, since its container ended."""
    _imposed: Cause | None = field(default=None, init=False)
    """What they say that its kubelet did to it: a program that obeys may exit with 0."""

    def listen(self) -> None:
        """Leave the log alone: it is the container's own."""

    def seen_in_pod(self) -> tuple[Event, ...]:
        """Return what is new: that it started, and how it ended."""
        if self.pod is None or not state.has_begun(self.pod):
            return ()
        before = len(self._seen)
        if not self._seen:
            self._seen.append(replace(_start(self.pod), at=self._first_seen(self.pod)))
        outcome = self._outcome(self.pod)
        if len(self._seen) == 1 and outcome:
            self._seen.append(outcome)
        return tuple(self._seen[before:])

    def why_to_end(self, pod: Document, now: float) -> Cause | None:
        """Return why the Pod has had its time: its own, or that of what it waits for."""
        if self.timeout_seconds and self._seen and now >= self._times_out_at():
            why = f"ran longer than {self.timeout_seconds:g} s"
            return Cause(Reason.TIMEOUT, why)
        return super().why_to_end(pod, now)

    def due(self) -> list[float]:
        """Return the times at which the Pod may have to be ended."""
        more = [self._times_out_at()] if self.timeout_seconds and self._seen else []
        return super().due() + more

    def ended(self) -> Ended | None:
        """Return how the run ended, once that is certain."""
        if len(self._seen) > 1:
            return Ended(log_is_complete=True)
        if not self._seen or self.pod is None:
            return super().ended()
        if not (self.gone or state.is_over(self.pod)) or self._is_to_ask():
            return None
        return Ended(log_is_complete=True, cause=self._imposed or state.why_over(self.pod))

    async def see_to_it(self) -> None:
        """Ask, when the container has ended, whether it did that by itself."""
        await super().see_to_it()
        if self._is_to_ask():
            self._imposed = state.imposed(await self._warnings())
            self._asked = True
            self.inbox.put_nowait(None)

    def _is_to_ask(self) -> bool:
        has_ended = self.pod is not None and state.ended(self.pod) is not None
        return has_ended and not self._asked

    async def _warnings(self) -> list[Document]:
        try:
            return await patiently(self.calls.warnings, self.subject.uid)
        except Refused as error:
            _log.warning("%s: its Events cannot be read: %s", self.subject.pod, error)
            return []

    def _outcome(self, pod: Document) -> ScriptEvent | None:
        """Return how it ended; None while it runs, and where nobody can know."""
        end, cause = state.ended(pod), None
        if state.restarts(pod) or end is None or self._is_to_ask():
            return None
        if self.because or self.ended_at:
            cancelled = Cause(Reason.CANCELLED, "it was ended, because the job was cancelled")
            cause = self.because or cancelled
        elif self._imposed or state.is_disturbed(pod):
            return None
        elif end.get("exitCode") or end.get("signal"):
            cause = _exit(pod, end)
        start, seconds = _start(pod), _seconds(end)
        names = ("script", "number", "of", "attempt", "parameters", "origin")
        about = {name: getattr(start, name) for name in names}
        at = min(self._seen[0].at + seconds, self.clock.now())
        if cause:
            return ScriptFailed(**about, at=at, seq=2, seconds=seconds, cause=cause)
        return ScriptSucceeded(**about, at=at, seq=2, seconds=seconds)

    def _first_seen(self, pod: Document) -> float:
        """Return when it began, as far as we know: its node's clock may be another one than ours.

        How long it ran its node knows all the same.
        """
        if self.subject.began_at is not None:
            return self.subject.began_at
        return self.clock.now() - _seconds(state.ended(pod) or {})

    def _times_out_at(self) -> float:
        return self._seen[0].at + (self.timeout_seconds or 0.0)

    def tell(self, control: SessionControl) -> None:
        """Know what the session was told: a container hears no word, it is ended by its Pod's."""
        super().tell(control)
        if control is SessionControl.CANCEL:
            self._told_at -= self.settings.grace_seconds + MARGIN_SECONDS


def _start(pod: Document) -> ScriptStarted:
    """Return the record of the start that the Pod was made for."""
    record = from_line(pod["metadata"]["annotations"][names.ATTEMPT].encode())
    if not isinstance(record, ScriptStarted):
        raise TypeError("the Pod's annotation is not the start of a script")
    return record


def _seconds(end: Document) -> float:
    return max(0.0, _time(end.get("finishedAt")) - _time(end.get("startedAt")))


def _exit(pod: Document, end: Document) -> Cause:
    lines = [line for line in lines_of(str(end.get("message") or "")) if line.strip()]
    why = f"the container exited with {state.exit_of(pod)}"
    return replace(
        state.out_of_memory(pod) or Cause(Reason.EXIT_CODE, why),
        exit_code=int(end.get("exitCode") or 0),
        signal=state.signal_of(end),
        said=tuple(lines[-LINES_KEPT:]),
        said_lines=len(lines),
    )


def _time(text: str | None) -> float:
    return datetime.fromisoformat(text).timestamp() if text else 0.0
