"""Follows a container script, and makes its events from the state of its Pod.

The container writes no records. Like a session's records, these events carry the run's name and a
number, so that an event that is made twice is folded once.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from enso_operator.api.document import Document
from enso_operator.sessions.pods import causes, names, state
from enso_operator.sessions.pods.follower import MARGIN_SECONDS, PodFollower
from enso_operator.sessions.pods.inbox import Wake
from enso_operator.sessions.pods.kubelet_end import KubeletEnd
from job_execution_framework.domain.cause import LINES_KEPT, Cause, Reason
from job_execution_framework.domain.control import PAUSE, SessionControl
from job_execution_framework.domain.events import (
    Event,
    ScriptEvent,
    ScriptFailed,
    ScriptStarted,
    ScriptSucceeded,
)
from job_execution_framework.domain.lines import lines_of
from job_execution_framework.service_layer.observations import Ended
from job_execution_framework.service_layer.records import from_line


@dataclass
class ContainerFollower(PodFollower):
    """Follows one container script."""

    timeout_seconds: float | None = None
    """The time-out of a Pod that does not have it itself, as an earlier release made it."""

    _seen: list[Event] = field(default_factory=list[Event], init=False)
    _kubelet: KubeletEnd = field(init=False)
    _at_end: Document | None = field(default=None, init=False)
    """The Pod as it was when its container was first seen to have ended."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._kubelet = KubeletEnd(
            self.reads, self.api.namespace, self.run_ref.uid, lambda: self.inbox.put_nowait(Wake())
        )

    def start_reading(self) -> None:
        """Do nothing: the log has the container's output, and no records."""

    def stop(self) -> None:
        """Read nothing any more."""
        super().stop()
        self._kubelet.stop()

    def see(self, pod: Document | None) -> None:
        """Take what is known of the Pod; once its container has ended, ask who has ended it."""
        super().see(pod)
        if self.run.pod and state.ended(self.run.pod):
            self._at_end = self._at_end or self.run.pod
            if not self._is_ended_by_us:
                self._kubelet.see(self.run.pod)

    def events_of_pod(self) -> tuple[Event, ...]:
        """Return the new events: that the container started, and how it ended."""
        self._kubelet.take()
        if self.run.pod is None or not state.has_begun(self.run.pod):
            return ()
        before = len(self._seen)
        if not self._seen:
            self._seen.append(replace(_start(self.run.pod), at=self._first_seen(self.run.pod)))
        outcome = self._outcome(self.run.pod)
        if len(self._seen) == 1 and outcome:
            self._seen.append(outcome)
        return tuple(self._seen[before:])

    def why_to_end(self, pod: Document, now: float) -> Cause | None:
        """Return why the Pod must end: the script's timeout is over, or its wait took too long."""
        timeout = self._timeout()
        if timeout and self._seen and now >= self._seen[0].at + timeout:
            return Cause(Reason.TIMEOUT, f"ran longer than {timeout:g} s")
        return super().why_to_end(pod, now)

    def due(self) -> list[float]:
        """Return the times at which the Pod may have to be ended."""
        timeout = self._timeout()
        return super().due() + ([self._seen[0].at + timeout] if timeout and self._seen else [])

    def ended(self) -> Ended | None:
        """Return how the run ended, once that is certain."""
        if len(self._seen) > 1:
            return Ended(log_is_complete=True)
        if not self._seen or self.run.pod is None:
            return super().ended()
        if not (self.run.gone or state.is_over(self.run.pod)) or self._is_open(self.run.pod):
            return None
        return Ended(
            log_is_complete=True, cause=self._kubelet.cause or causes.why_over(self.run.pod)
        )

    @property
    def _is_ended_by_us(self) -> bool:
        return bool(self.run.end_cause or self.run.end_asked_at)

    def _is_open(self, pod: Document) -> bool:
        """Whether it is not known yet who has ended its container."""
        return not self._is_ended_by_us and self._kubelet.is_open(pod)

    def _outcome(self, pod: Document) -> ScriptEvent | None:
        """Return the event of its end; None while it runs, and where its result is unknown."""
        end, cause = state.ended(pod), None
        if state.restarts(pod) or end is None or self._is_open(pod):
            return None
        if self._is_ended_by_us:
            cancelled = Cause(Reason.CANCELLED, "it was ended, because the job was cancelled")
            cause = self.run.end_cause or cancelled
        elif self._kubelet.cause or causes.disruption(pod) or state.is_leaving(self._at_end or pod):
            return None  # a deletion that came later has not ended it
        elif end.get("exitCode") or end.get("signal"):
            cause = _exit(pod, end)
        start, seconds = _start(pod), _seconds(end)
        names = ("script", "number", "of", "is_final", "attempt", "parameters", "origin")
        about = {name: getattr(start, name) for name in names}
        at = min(self._seen[0].at + seconds, self.clock.now())
        if cause:
            return ScriptFailed(**about, at=at, seq=2, seconds=seconds, cause=cause)
        return ScriptSucceeded(**about, at=at, seq=2, seconds=seconds)

    def _first_seen(self, pod: Document) -> float:
        """Return when the container began, by our clock; a node's clock gives only durations."""
        known = self.run_ref.attempt
        if known and known.started_at is not None and known.number == _start(pod).attempt:
            return known.started_at
        return self.clock.now() - _seconds(state.ended(pod) or {})

    def _timeout(self) -> float | None:
        """Return how long it may run: a resume may have changed that after this Pod was made."""
        annotations = state.part(self.run.pod["metadata"], "annotations") if self.run.pod else {}
        given = annotations.get(names.TIMEOUT)
        return self.timeout_seconds if given is None else float(given) or None

    def on_control(self, control: SessionControl) -> None:
        """Take the control: a container cannot read one, so its Pod is ended where it says stop."""
        if names.session_of(self.run_ref.run) in control.skip:
            control = PAUSE  # which ends a Pod only before its container has begun
        super().on_control(control)
        if control.cancel:
            self._control_at -= self.settings.grace_seconds + MARGIN_SECONDS


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
    why = f"the container exited with {causes.exit_of(pod)}"
    return replace(
        causes.out_of_memory(pod) or Cause(Reason.EXIT_CODE, why),
        exit_code=int(end.get("exitCode") or 0),
        signal=causes.signal_of(end),
        said=tuple(lines[-LINES_KEPT:]),
        said_lines=len(lines),
    )


def _time(text: str | None) -> float:
    return datetime.fromisoformat(text).timestamp() if text else 0.0
