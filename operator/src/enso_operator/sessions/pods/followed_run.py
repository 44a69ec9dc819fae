"""What is known of a run that a `PodFollower` follows, and how it ended, once that is certain."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from enso_operator.api.document import Document
from enso_operator.sessions.pods import causes, state
from enso_operator.sessions.pods.boot import PREFIX
from enso_operator.sessions.pods.end_timeouts import EndTimeouts
from enso_operator.sessions.pods.records import Records
from enso_operator.sessions.pods.run_ref import RunRef
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.control import GO_ON, SessionControl
from job_execution_framework.runtime import summary
from job_execution_framework.service_layer.observations import Ended, Outcome
from job_execution_framework.service_layer.records import End

DELETED_BY_FORCE = "somebody deleted its Pod by force, and nobody saw its processes end"


@dataclass
class FollowedRun:
    """What the run's Pod and log have shown, and which control and end it was sent."""

    run_ref: RunRef
    records: Records
    pod: Document | None = field(default=None, init=False)
    """The Pod as it was seen last."""
    gone_at: float | None = field(default=None, init=False)
    """When it was first known that the Pod does not exist any more."""
    control: SessionControl = field(default=GO_ON, init=False)
    """The control that the session was sent last."""
    end_cause: Cause | None = field(default=None, init=False)
    """Why the follower ends the Pod, where the job did not request that."""
    end_asked_at: float = field(default=0.0, init=False)
    """When the follower had the Pod ended; 0 if it did not."""
    timeouts: EndTimeouts = field(default_factory=EndTimeouts, init=False)

    @property
    def gone(self) -> bool:
        """Whether the Pod does not exist any more."""
        return self.gone_at is not None

    def ended(self, now: float) -> Ended | None:
        """Return how the run ended, once that is certain."""
        log = self.records
        if log.end and log.complete:
            return self._from_end_record(log.end, now)
        if not (self.gone or (self.pod and state.is_over(self.pod))):
            return None
        if self._never_began():
            cause = None if self.control.stops and not self.end_cause else self._why_over()
            return Ended(log_is_complete=True, cause=cause)
        if self.may_still_run(now) or self._may_read_more(now):
            return None
        end = self._from_summary()
        if log.complete:
            end = Ended(log_is_complete=True, cause=self._why_over())
        return None if self._may_see_more(end.cause, now) else end

    def _from_end_record(self, end: End, now: float) -> Ended | None:
        """Return the end of a run that recorded its own end."""
        cause = self._why_broken(end.broken) if end.broken else None
        if self._may_see_more(cause, now):
            return None
        return Ended(log_is_complete=True, cause=cause, killed=end.killed)

    def _from_summary(self) -> Ended:
        """Return the end of a run with an incomplete log; its summary may have more outcomes."""
        outcomes, is_all = self._summary()
        cause = self._why_over() if self.records.damage or not is_all else None
        if cause and self.records.unavailable:
            unread = f"its log could not be read: {self.records.unavailable}"
            cause = replace(cause, message=f"{cause.message}; {unread}")
        return Ended(log_is_complete=is_all, cause=cause, outcomes=outcomes)

    def _summary(self) -> tuple[tuple[Outcome, ...], bool]:
        """Return the outcomes in the session's summary, and whether the summary is complete."""
        message = state.termination_message(self.pod) if self.pod else ""
        return summary.read(message, self.run_ref.scripts) or ((), False)

    def _may_read_more(self, now: float) -> bool:
        """Whether missing records of the log may still be read."""
        if self.records.drained or self.records.damage:
            return False
        return self.timeouts.log_may_have_more(now, gone=self.gone, summed_up=self._summary()[1])

    def _may_see_more(self, cause: Cause | None, now: float) -> bool:
        """Whether the cause of the loss is unknown, and the Pod's status may still get it."""
        if cause is None or cause.reason != Reason.SESSION_LOST or self.records.damage:
            return False
        if self.gone or self.pod is None or state.is_final(self.pod):
            return False
        return not causes.is_disturbed(self.pod) and self.timeouts.status_may_say_more(now)

    def may_still_run(self, now: float) -> bool:
        """Whether the Pod was deleted by force, and its processes may still run on the node."""
        if self.gone_at is None or (self.pod and state.is_over(self.pod)):
            return False
        return now < self.gone_at + self.run_ref.settle_seconds

    def forget_that_it_waited(self) -> None:
        """Take that the Pod is gone, and nobody has seen it go: it may have run meanwhile."""
        if self.pod and not state.is_scheduled(self.pod) and not self.end_asked_at:
            self.pod = None

    def _never_began(self) -> bool:
        """Whether it is certain that nothing of the session ran."""
        if self.pod is None or state.has_begun(self.pod) or self.records.seq:
            return False
        if not state.is_scheduled(self.pod):
            return True
        is_over = state.is_over(self.pod) or bool(self.gone and self.end_asked_at)
        # If a node is lost, the control plane ends its Pods; their processes may have run, or run.
        return is_over and causes.why_over(self.pod).reason != Reason.NODE_LOST

    def _why_broken(self, recorded: str) -> Cause:
        """Return what ended a session from outside; else what failed in its own runtime."""
        if self.pod and causes.is_disturbed(self.pod):
            return self._our_cause() or causes.why_over(self.pod)
        return Cause(Reason.SESSION_LOST, recorded)

    def _why_over(self) -> Cause:
        if self.records.damage:
            return Cause(Reason.SESSION_LOST, f"its journal is damaged: {self.records.damage}")
        if self.pod is None:
            return Cause(Reason.SESSION_LOST, "its Pod is gone")
        cause = self._our_cause() or causes.why_over(self.pod)
        message = state.termination_message(self.pod)
        if cause.reason != Reason.SESSION_LOST:
            return cause
        if self.gone and not state.is_over(self.pod) and state.is_leaving(self.pod):
            return Cause(cause.reason, DELETED_BY_FORCE)
        is_summary = summary.read(message, self.run_ref.scripts) is not None
        if self.records.seq or not message or is_summary:
            return cause
        if message.startswith(PREFIX):  # why nothing began
            return Cause(Reason.INTERPRETER_DID_NOT_START, message.removeprefix(PREFIX).strip())
        return Cause(cause.reason, f"{cause.message}: {message}")

    def _our_cause(self) -> Cause | None:
        if self.end_cause or not self.end_asked_at:
            return self.end_cause
        return Cause(Reason.CANCELLED, "the session was ended, because it was cancelled")
