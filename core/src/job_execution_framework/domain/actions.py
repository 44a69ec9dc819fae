"""Actions: what people can ask of an existing job, such as to pause, resume or cancel it.

`Job.why_not` says why an action is not possible now; `Job.obey` does it and records events. Every
caller uses these classes: a user's Python, ``enso run --resume``, the HTTP API, an EnsoAction, and
`spec.suspend` of an EnsoJob (`Suspend`, `Unsuspend`).
"""

from __future__ import annotations

from dataclasses import dataclass

from job_execution_framework.domain import control, events
from job_execution_framework.domain.action import SUSPENDED_BY_SPEC, Action, ended, why_not_named
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.resume import MOST_RESUMES, Resume
from job_execution_framework.domain.row import ScriptState
from job_execution_framework.domain.skip import Skip
from job_execution_framework.domain.transitions import ENDED, JobState

__all__ = [
    "MOST_RESUMES",
    "SUSPENDED_BY_SPEC",
    "Action",
    "Cancel",
    "Pause",
    "Resume",
    "Retry",
    "Skip",
    "Suspend",
    "Unsuspend",
]


@dataclass(frozen=True, kw_only=True)
class Pause(Action):
    """Let the running script end, then start no other until the job is resumed."""

    after: str = ""
    """Pause only after this script is done; empty: now."""

    def _why_not(self, job: Job) -> str:
        if job.state in ENDED:
            return ended(job, "be paused")
        if self.after and (why := why_not_named(job, self.after)):
            return why
        if self.after and job.is_over(self.after):
            how = "is done" if job.rows[self.after].done else "has failed"
            return f"cannot be paused after {self.after!r}, which {how} already"
        if job.paused and not job.paused.after:
            when = _when_it_pauses(job)
            return f"is pausing already: {when}" if when else "is paused already"
        if job.paused and job.paused.after == self.after:
            return f"was already asked to pause after {self.after!r}"
        return ""

    def do(self, job: Job, at: float) -> None:
        """Record the pause."""
        job.record(events.JobPaused(at=at, after=self.after, **self._asked()))

    def outcome(self, job: Job) -> str:
        """Say after which script it pauses, if it does not at once."""
        if job.paused and job.paused.after:
            return f"{_will_pause(job, job.paused.after)} after {job.paused.after!r}"
        if when := _when_it_pauses(job):
            return when
        return f"paused; session {job.open_run.run} is being ended" if job.open_run else "paused"


@dataclass(frozen=True, kw_only=True)
class Retry(Action):
    """Start the next attempt of a failed script now, without the rest of its waiting time."""

    def _why_not(self, job: Job) -> str:
        if job.state in ENDED:
            return f"is {job.state}: only a job that has not ended can retry; resume it instead"
        if job.state is JobState.SUSPENDED:
            return "is paused and starts no script: resume it" if job.paused else SUSPENDED_BY_SPEC
        script = control.retrying(job)
        if script is None:
            return "has no script that waits for its next attempt"
        if job.rows[script.name].retry_forced:
            return f"was already asked to retry {script.name!r} now"
        return ""

    def do(self, job: Job, at: float) -> None:
        """Record that the next attempt is forced."""
        if script := control.retrying(job):
            attempt = job.rows[script.name].attempt
            kind = events.ScriptRetryForced
            job.record(job.script_event(kind, script.name, attempt, at, **self._asked()))

    def outcome(self, job: Job) -> str:
        """Say which script starts."""
        forced = [name for name, row in job.rows.items() if row.retry_forced]
        return "; ".join(_starts_now(job, name) for name in forced) or "retried"


@dataclass(frozen=True, kw_only=True)
class Cancel(Action):
    """Terminate the running script and end the job, which can be resumed later.

    Of a job whose end is decided it ends the finally scripts.
    """

    without_finally: bool = False
    """No finally scripts run after it, as the job is being deleted."""

    def _why_not(self, job: Job) -> str:
        if job.state not in ENDED or (job.cleans_up and not job.finally_stopped):
            return ""
        return ended(job, "be cancelled")

    def do(self, job: Job, at: float) -> None:
        """Record the cancellation."""
        is_live = job.state not in ENDED
        if is_live:
            job.record(events.JobCancelled(at=at, **self._asked()))
        if job.cleans_up and (self.without_finally or not is_live):
            job.record(events.FinallyCancelled(at=at, **self._asked()))

    def outcome(self, job: Job) -> str:
        """Say whether a session is still being stopped."""
        if job.runs_finally and job.open_run:
            return f"finally scripts cancelled; session {job.open_run.run} is being stopped"
        if job.finally_stopped:
            return "finally scripts cancelled"
        if job.open_run:
            return f"cancelled; session {job.open_run.run} is being stopped"
        return "cancelled"


@dataclass(frozen=True, kw_only=True)
class Suspend(Action):
    """``spec.suspend: true``: let the running script end, and start no other."""

    def _why_not(self, job: Job) -> str:
        if job.state in ENDED:
            return ended(job, "be suspended")
        return "is suspended already" if job.suspended else ""

    def do(self, job: Job, at: float) -> None:
        """Record the suspension."""
        job.record(events.JobSuspended(at=at))

    def outcome(self, job: Job) -> str:
        """Say that it is suspended."""
        del job
        return "suspended"


@dataclass(frozen=True, kw_only=True)
class Unsuspend(Action):
    """``spec.suspend: false``: continue."""

    def _why_not(self, job: Job) -> str:
        if job.state in ENDED:
            return ended(job, "be unsuspended")
        return "" if job.suspended else "is not suspended"

    def do(self, job: Job, at: float) -> None:
        """Record that the suspension is over."""
        job.record(events.JobUnsuspended(at=at))

    def outcome(self, job: Job) -> str:
        """Say that it is not suspended any more, or what else holds it."""
        return "unsuspended; still paused" if job.paused else "unsuspended"


def _starts_now(job: Job, name: str) -> str:
    row, retries = job.rows[name], job.script(name).retries
    # Where its session was lost, it is no retry of its own.
    which = f", {row.next_retry(retries)}" if row.state is ScriptState.FAILED else ""
    return f"the next attempt of {name!r} starts now{which}"


def _when_it_pauses(job: Job) -> str:
    """Say after which running script; "" where none runs."""
    for name, row in job.rows.items():
        if row.state is ScriptState.RUNNING:
            return f"{_will_pause(job, name)} after {name!r}, which runs now"
    return ""


def _will_pause(job: Job, after: str) -> str:
    """Promise only what nobody can miss: a session may start its next script before it is told."""
    ahead = job.open_run.scripts[:-1] if job.open_run else ()
    return "its session was asked to pause" if after in ahead else "it will pause"
