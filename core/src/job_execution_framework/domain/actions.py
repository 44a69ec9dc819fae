"""What people ask of a job that exists: `Job.why_not` says why it cannot be, `Job.obey` does it.

An action is a wish, in the sense of a command; events tell what came of it. All ways in come
through here: a user's Python, ``enso run --resume``, the HTTP API, an EnsoAction, and what an
EnsoJob's spec says (`Suspend`, `Unsuspend`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TypedDict

from job_execution_framework.domain import changes, control, events
from job_execution_framework.domain.definition import Definition
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.row import ScriptState
from job_execution_framework.domain.transitions import ENDED, JobState

MOST_RESUMES = 50
"""How often a job may be resumed."""


class _Asked(TypedDict):
    """What an event tells of the action that brought it about."""

    by: str
    why: str
    action_id: str


@dataclass(frozen=True, kw_only=True)
class Action(ABC):
    """A wish of somebody's."""

    by: str = ""
    """Who asks; empty where that is not known."""
    why: str = ""
    action_id: str = ""
    """Tells the action from all others. One with an id acts once; without, as often as asked."""

    def why_not(self, job: Job) -> str:
        """Return why it is not possible now, to be read after the job's name; empty where it is."""
        if self.action_id and self.action_id in job.acted:
            return "has acted on this already"
        return self._why_not(job)

    @abstractmethod
    def _why_not(self, job: Job) -> str: ...

    @abstractmethod
    def do(self, job: Job, at: float) -> None:
        """Record what happens to the job, which is possible now."""
        ...

    def _asked(self) -> _Asked:
        return {"by": self.by, "why": self.why, "action_id": self.action_id}


@dataclass(frozen=True, kw_only=True)
class Resume(Action):
    """Let a job go on that has ended, or that was paused."""

    from_script: str = ""
    """Run this script and all after it again; empty: go on as the checkpoint rule says."""
    skip: tuple[str, ...] = ()
    """Scripts that count as done from now on, though they did not run."""
    definition: Definition | None = None
    """What the job is made of from now on; None: the same as before."""
    changed: tuple[str, ...] = ()
    """What is otherwise now though the definition is not, as ``script.field``: in the library."""

    def _why_not(self, job: Job) -> str:
        if job.state in ENDED:
            return self._why_not_ended(job) or self._why_not_changed(job)
        if job.paused:
            return self._why_not_paused(job) or self._why_not_changed(job)
        if job.suspended:
            return _SUSPENDED
        return f"is {job.state}: only a job that has ended, or was paused, can be resumed"

    def _why_not_ended(self, job: Job) -> str:
        names = list(job.rows)
        left = [
            script
            for script in job.scripts
            if not job.rows[script.name].done and script.name not in self.skip
        ]
        if job.resumes >= MOST_RESUMES:
            return f"was resumed {MOST_RESUMES} times already: make a new one of it"
        if self.from_script and self.from_script not in names:
            return _no_script(job, self.from_script)
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
            gap = f"{left[0].name!r} before it is not done; resume there, or skip it first"
            return f"cannot go on at {self.from_script!r}, because {gap}"
        return ""

    def _why_not_paused(self, job: Job) -> str:
        if self.from_script:
            again = f"to run {self.from_script!r} again, cancel it first"
            return f"is paused, and goes on where it was: {again}"
        return _why_not_skipped(job, *self.skip)

    def _why_not_changed(self, job: Job) -> str:
        if self.definition is None:
            return ""
        why = changes.why_not_resumable(job, self.definition, self.from_script)
        return f"cannot be changed so: {why}" if why else ""

    def do(self, job: Job, at: float) -> None:
        """Change what the job is made of, let it go on, and skip what is to be skipped."""
        changed = self.changed
        if self.definition:
            changed = (*changed, *map(str, changes.changes(job, self.definition)))
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


@dataclass(frozen=True, kw_only=True)
class Pause(Action):
    """Let the running script end, and start no other, until the job is resumed."""

    after: str = ""
    """Only once this script is done."""

    def _why_not(self, job: Job) -> str:
        if job.state in ENDED:
            return _ended(job, "be paused")
        if self.after and self.after not in job.rows:
            return _no_script(job, self.after)
        if self.after and job.rows[self.after].done:
            return f"cannot be paused after {self.after!r}, which is done already"
        if job.paused and not job.paused.after:
            return "is paused already"
        if job.paused and job.paused.after == self.after:
            return f"is to be paused after {self.after!r} already"
        return ""

    def do(self, job: Job, at: float) -> None:
        """Pause it."""
        job.record(events.JobPaused(at=at, after=self.after, **self._asked()))


@dataclass(frozen=True, kw_only=True)
class Retry(Action):
    """Let the script that waits for its next attempt wait no longer."""

    def _why_not(self, job: Job) -> str:
        if job.state in ENDED:
            return f"is {job.state}: resume it, and it goes on at once"
        if job.state is JobState.SUSPENDED:
            return "is paused, and starts nothing: resume it" if job.paused else _SUSPENDED
        script = control.retrying(job)
        if script is None:
            return "has no script that waits for its next attempt"
        if job.rows[script.name].retry_forced_at is not None:
            return f"is to start {script.name!r} again at once already"
        return ""

    def do(self, job: Job, at: float) -> None:
        """Force the attempt."""
        if script := control.retrying(job):
            attempt = job.rows[script.name].attempt
            kind = events.ScriptRetryForced
            job.record(job.script_event(kind, script.name, attempt, at, **self._asked()))


@dataclass(frozen=True, kw_only=True)
class Skip(Action):
    """Let a script count as done, and never start it."""

    script: str

    def _why_not(self, job: Job) -> str:
        if job.state in ENDED:
            return f"is {job.state}: resume it, and skip {self.script!r} with that"
        return _why_not_skipped(job, self.script)

    def do(self, job: Job, at: float) -> None:
        """Skip it; where a session may be about to start it, that decides and says so."""
        run, row = job.open_run, job.rows[self.script]
        is_ahead = run and self.script in run.scripts
        kind = events.SkipRequested if is_ahead else events.ScriptSkipped
        job.record(job.script_event(kind, self.script, row.attempt, at, **self._asked()))


@dataclass(frozen=True, kw_only=True)
class Cancel(Action):
    """End the running script, and the job. It can be resumed."""

    def _why_not(self, job: Job) -> str:
        return _ended(job, "be cancelled") if job.state in ENDED else ""

    def do(self, job: Job, at: float) -> None:
        """Cancel it."""
        job.record(events.JobCancelled(at=at, **self._asked()))


@dataclass(frozen=True, kw_only=True)
class Suspend(Action):
    """What a job's description says: let the running script end, and start no other."""

    def _why_not(self, job: Job) -> str:
        if job.state in ENDED:
            return _ended(job, "be suspended")
        return "is suspended already" if job.suspended else ""

    def do(self, job: Job, at: float) -> None:
        """Suspend it."""
        job.record(events.JobSuspended(at=at))


@dataclass(frozen=True, kw_only=True)
class Unsuspend(Action):
    """What a job's description says: go on."""

    def _why_not(self, job: Job) -> str:
        if job.state in ENDED:
            return _ended(job, "go on so")
        return "" if job.suspended else "is not suspended"

    def do(self, job: Job, at: float) -> None:
        """Let it go on."""
        job.record(events.JobUnsuspended(at=at))


_SUSPENDED = "is suspended by its own description: set suspend to false there"


def _ended(job: Job, what: str) -> str:
    return f"is {job.state}: only a job that has not ended can {what}"


def _no_script(job: Job, name: str) -> str:
    return f"has no script {name!r}; it has {', '.join(job.rows)}"


def _why_not_skipped(job: Job, *names: str, again: AbstractSet[str] = frozenset()) -> str:
    for name in names:
        if name not in job.rows:
            return _no_script(job, name)
        if job.rows[name].state is ScriptState.RUNNING:
            return f"cannot skip {name!r}, which runs now"
        if job.rows[name].done and name not in again:
            return f"cannot skip {name!r}, which is done already"
        if job.rows[name].skip_requested:
            return f"is to skip {name!r} already"
    return ""
