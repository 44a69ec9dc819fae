"""A job whose events are told one after the other, at times that the test chooses."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Cause
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import Script, Session


@dataclass
class Story:
    """Tells a job's events. `at` is the time of the next one, in seconds since the epoch."""

    job: Job
    at: float
    run: str = ""
    _seqs: dict[str, int] = field(default_factory=dict[str, int])

    @classmethod
    def of(
        cls, *scripts: Script, sessions: tuple[Session, ...] = (Session(),), at: float = 1_000_000
    ) -> Story:
        """Return the story of a job that was added and started."""
        story = cls(Job("shot-010", scripts, sessions), at)
        story.record(events.JobAdded(at=at, scripts=tuple(story.job.rows)))
        story.record(events.JobStarted(at=at))
        return story

    def record(self, event: events.Event) -> None:
        """Record an event of the coordinator."""
        self.job.record(event)

    def opens(self, run: str, *scripts: str) -> None:
        """Open a session run for these scripts."""
        self.run = run
        session = run.rpartition("-")[0]
        self.record(
            events.SessionOpened(at=self.at, run=run, session=session, uid=run, scripts=scripts)
        )

    def closes(self, cause: Cause | None = None) -> None:
        """End the session run; with a cause it was lost."""
        self.record(events.SessionEnded(at=self.at, run=self.run, cause=cause))

    def starts(self, name: str) -> int:
        """Start a script's next attempt; return its number."""
        attempt = self.job.rows[name].attempt + 1
        self._told(self.job.script_event(events.ScriptStarted, name, attempt, self.at))
        return attempt

    def succeeds(self, name: str, seconds: float = 1, output: object = None) -> None:
        """Run a script; it succeeds."""
        self.starts(name)
        self.at += seconds
        self.ends(name, seconds, output)

    def ends(self, name: str, seconds: float = 1, output: object = None) -> None:
        """End a script that runs; it succeeds."""
        attempt, kind = self.job.rows[name].attempt, events.ScriptSucceeded
        self._told(
            self.job.script_event(kind, name, attempt, self.at, seconds=seconds, output=output)
        )

    def fails(self, name: str, cause: Cause, seconds: float = 1) -> None:
        """Run a script; it fails."""
        self.starts(name)
        self.at += seconds
        self.breaks(name, cause, seconds)

    def breaks(self, name: str, cause: Cause, seconds: float = 1) -> None:
        """End a script that runs; it fails."""
        attempt, kind = self.job.rows[name].attempt, events.ScriptFailed
        self._told(
            self.job.script_event(kind, name, attempt, self.at, seconds=seconds, cause=cause)
        )

    def skips(self, name: str) -> None:
        """Let the session say that it skips a script, as it was asked to."""
        attempt = self.job.rows[name].attempt
        self._told(self.job.script_event(events.ScriptSkipped, name, attempt, self.at))

    def job_fails(self, name: str, cause: Cause) -> None:
        """End the session run, and the job at a script."""
        self.closes()
        self.record(events.JobFailed(at=self.at, cause=cause, script=name))

    def _told(self, event: events.Event) -> None:
        seq = self._seqs[self.run] = self._seqs.get(self.run, 0) + 1
        self.job.apply(replace(event, origin=self.run, seq=seq))
