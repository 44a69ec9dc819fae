"""Actions: what people can ask of an existing job, such as to pause, resume or cancel it.

`Job.why_not` says why an action is not possible now; `Job.obey` does it and records events. Every
caller uses these classes: a user's Python, ``enso run --resume``, the HTTP API, an EnsoAction, and
`spec.suspend` of an EnsoJob (`Suspend`, `Unsuspend`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TypedDict

from job_execution_framework.domain import changes, control, events
from job_execution_framework.domain.definition import Definition
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.outputs import references
from job_execution_framework.domain.row import ScriptState
from job_execution_framework.domain.transitions import ENDED, JobState

MOST_RESUMES = 50
"""How often a job may be resumed."""
SUSPENDED_BY_SPEC = "is suspended by its spec: set spec.suspend to false"
"""Why a job that only its spec suspends neither resumes nor retries. A command may follow it."""


class _Asked(TypedDict):
    """The fields that an event copies from the action that caused it."""

    by: str
    why: str
    action_id: str


@dataclass(frozen=True, kw_only=True)
class Action(ABC):
    """One request to a job, and who made it."""

    by: str = ""
    """Who asks; empty where that is not known."""
    why: str = ""
    """The reason that person gave; may be empty."""
    action_id: str = ""
    """A unique id, so that an action that is sent twice is done once; empty: done each time."""

    def why_not(self, job: Job) -> str:
        """Return why the action is not possible now, to follow "job NAME"; empty if possible."""
        if self.action_id and self.action_id in job.acted:
            return "has already done the action with this id"
        return self._why_not(job)

    @abstractmethod
    def _why_not(self, job: Job) -> str: ...

    @abstractmethod
    def do(self, job: Job, at: float) -> None:
        """Record the action's events. Call only where `why_not` is empty."""
        ...

    @abstractmethod
    def outcome(self, job: Job) -> str:
        """Return what it did and what is still to come, to follow "job NAME: "; call after `do`."""
        ...

    def _asked(self) -> _Asked:
        return {"by": self.by, "why": self.why, "action_id": self.action_id}


@dataclass(frozen=True, kw_only=True)
class Resume(Action):
    """Continue a job that has ended or was paused."""

    from_script: str = ""
    """Run this script and all later ones again; empty: the checkpoint rule decides."""
    skip: tuple[str, ...] = ()
    """Scripts that are not run, but count as done."""
    definition: Definition | None = None
    """The job's changed scripts and sessions; None: unchanged."""
    changed: tuple[str, ...] = ()
    """Changes that `definition` does not show, as ``script.field``: of library scripts."""

    def _why_not(self, job: Job) -> str:
        if job.state in ENDED:
            return _why_not_finished(job) or self._why_not_ended(job) or self._why_not_changed(job)
        if job.paused:
            return self._why_not_paused(job) or self._why_not_changed(job)
        if job.suspended:
            return SUSPENDED_BY_SPEC
        return f"is {job.state}: only a job that has ended, or was paused, can be resumed"

    def _why_not_ended(self, job: Job) -> str:
        names = [script.name for script in job.main]
        left = [
            script
            for script in job.main
            if not job.is_done(script.name) and script.name not in self.skip
        ]
        if job.resumes >= MOST_RESUMES:
            return f"was resumed {MOST_RESUMES} times, which is the most: create a new job"
        if self.from_script and (why := _why_not_named(job, self.from_script)):
            return why
        again = set(names[names.index(self.from_script) :]) if self.from_script else set[str]()
        if why := _why_not_skipped(job, *self.skip, again=again):
            return why
        if self.from_script in self.skip:
            return f"cannot go on at {self.from_script!r} and skip it"
        if not left and not self.from_script:
            if job.state is JobState.SUCCEEDED:
                return "has nothing left to do; name the script to run again from"
            return ""
        if left and self.from_script and names.index(self.from_script) > names.index(left[0].name):
            first = left[0].name
            gap = f"{first!r} before it is not done; resume from {first!r}, or skip it"
            return f"cannot go on at {self.from_script!r}, because {gap}"
        return ""

    def _why_not_paused(self, job: Job) -> str:
        if self.from_script:
            again = f"to run {self.from_script!r} again, cancel the job first"
            return f"is paused and goes on where it stopped; {again}"
        return _why_not_skipped(job, *self.skip)

    def _why_not_changed(self, job: Job) -> str:
        if self.definition is None:
            return ""
        why = changes.why_not_resumable(job, self.definition, self.from_script)
        return f"cannot go on with these changes: {why}" if why else ""

    def do(self, job: Job, at: float) -> None:
        """Apply the changes, let the job continue, and skip the scripts of `skip`."""
        changed = self.changed
        if self.definition and (found := changes.changes(job, self.definition)):
            changed = (*changed, *map(str, found))
            job.redefine(self.definition)
        if job.state in ENDED:
            begin = self.from_script
            job.record(
                events.JobResumed(at=at, from_script=begin, changed=changed, **self._asked())
            )
        else:
            job.record(events.JobUnpaused(at=at, changed=changed, **self._asked()))
        for name in self.skip:
            Skip(script=name, by=self.by, why=self.why).do(job, at)

    def outcome(self, job: Job) -> str:
        """Say at which script it goes on, or what it waits for."""
        if job.suspended:
            return "resumed; still suspended by its spec"
        if job.closing and job.open_run:
            return f"resumed; it goes on when session {job.open_run.run} has ended"
        goal = job.goal
        return (
            f"resumed; it goes on at {goal.name!r}" if goal else "resumed; nothing is left to run"
        )


@dataclass(frozen=True, kw_only=True)
class Pause(Action):
    """Let the running script end, then start no other until the job is resumed."""

    after: str = ""
    """Pause only after this script is done; empty: now."""

    def _why_not(self, job: Job) -> str:
        if job.state in ENDED:
            return _ended(job, "be paused")
        if self.after and (why := _why_not_named(job, self.after)):
            return why
        if self.after and job.is_over(self.after):
            how = "is done" if job.rows[self.after].done else "has failed"
            return f"cannot be paused after {self.after!r}, which {how} already"
        if job.paused and not job.paused.after:
            return "is paused already"
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
        for name, row in job.rows.items():
            if row.state is ScriptState.RUNNING:
                return f"{_will_pause(job, name)} after {name!r}, which runs now"
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
class Skip(Action):
    """Let a script count as done, and never start it."""

    script: str

    def _why_not(self, job: Job) -> str:
        if job.state in ENDED:
            return f"is {job.state}: resume it and skip {self.script!r} in that resume"
        return _why_not_skipped(job, self.script)

    def do(self, job: Job, at: float) -> None:
        """Skip the script; if an open session may start it, only ask that session to skip it."""
        run, row = job.open_run, job.rows[self.script]
        is_ahead = run and self.script in run.scripts
        kind = events.SkipRequested if is_ahead else events.ScriptSkipped
        job.record(job.script_event(kind, self.script, row.attempt, at, **self._asked()))

    def outcome(self, job: Job) -> str:
        """Say whether it is skipped, or its session was asked to skip it."""
        if job.rows[self.script].done:
            return f"{self.script!r} is skipped"
        return f"its session was asked to skip {self.script!r}"


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
        return _ended(job, "be cancelled")

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
            return _ended(job, "be suspended")
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
            return _ended(job, "be unsuspended")
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


def _will_pause(job: Job, after: str) -> str:
    """Promise only what nobody can miss: a session may start its next script before it is told."""
    ahead = job.open_run.scripts[:-1] if job.open_run else ()
    return "its session was asked to pause" if after in ahead else "it will pause"


def _ended(job: Job, what: str) -> str:
    return f"is {job.state}: only a job that has not ended can {what}"


def _why_not_finished(job: Job) -> str:
    names = ", ".join(script.name for script in job.finally_to_come())
    if not job.cleans_up:
        return ""
    what = f"its finally scripts run ({names})" if names else "its finally scripts are being ended"
    return f"is {job.state}, and {what}: wait until they are over, or cancel them"


def _why_not_named(job: Job, name: str) -> str:
    if name not in job.rows:
        return _no_script(job, name)
    if job.script(name).is_final:
        return f"runs {name!r} at each of its ends: name none of its finally scripts here"
    return ""


def _no_script(job: Job, name: str) -> str:
    return f"has no script {name!r}; it has {', '.join(job.rows)}"


def _why_not_skipped(job: Job, *names: str, again: AbstractSet[str] = frozenset()) -> str:
    for name in names:
        if why := _why_not_named(job, name):
            return why
        # Of a job that has ended it is being stopped, and is skipped once it has stopped.
        if job.rows[name].state is ScriptState.RUNNING and job.state not in ENDED:
            return f"cannot skip {name!r}, which runs now"
        if job.is_done(name) and name not in again:
            return f"cannot skip {name!r}, which is done already"
        if job.rows[name].skip_requested:
            return f"was already asked to skip {name!r}"
        if why := _why_needed(job, name, set(names), again):
            return why
    return ""


def _why_needed(job: Job, name: str, skipped: AbstractSet[str], again: AbstractSet[str]) -> str:
    """Return which later script needs the output of a script that is to be skipped."""
    for script in job.scripts:
        row = job.rows[script.name]
        is_out = row.skip_requested or (row.done and not row.succeeded and script.name not in again)
        if is_out or script.name in skipped:
            continue
        for argument, of in references(script.parameters).items():
            if of.script == name:
                needs = f"{script.name!r} needs its output as argument {argument!r}"
                return f"cannot skip {name!r}, as {needs}: skip {script.name!r} first, or as well"
    return ""
