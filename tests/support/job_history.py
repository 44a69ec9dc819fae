"""Jobs to which things happen one second after the other, by the coordinator and a session."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Cause
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.transitions import JobState


class JobHistory:
    """A job to which things happen one second after the other."""

    def __init__(self, job: Job, at: float | None = None) -> None:
        self.job = job
        self.at = max([1000.0, *(event.at for event in job.events)]) if at is None else at
        if not job.events:
            self.says(events.JobAdded, scripts=tuple(job.rows))
        if job.state is JobState.WAITING:
            self.says(events.JobStarted)

    def says(self, kind: type[events.Event], **details: Any) -> None:  # noqa: ANN401  # its fields
        self.at += 1
        self.job.record(kind(at=self.at, **details))

    def opens(self, session: str = "s1", uid: str = "uid") -> None:
        run = f"{session}-{self.job.runs.get(session, 0) + 1}"
        scripts = tuple(s.name for s in self.job.scripts if s.session == session)
        self.says(events.SessionOpened, run=run, session=session, uid=uid, scripts=scripts)

    def ends(self, cause: Cause | None = None) -> None:
        assert self.job.open_run
        self.says(events.SessionEnded, run=self.job.open_run.run, cause=cause)

    def does(self, kind: type[events.ScriptEvent], script: str, **details: object) -> None:
        assert self.job.open_run
        self.at += 1
        run, starts = self.job.open_run.run, kind is events.ScriptStarted
        attempt = self.job.rows[script].attempt + starts
        event = self.job.script_event(kind, script, attempt, self.at, **details)
        seq = self.job.cursors.get(run, 0) + 1
        self.job.apply(replace(event, origin=run, seq=seq))

    def finds(self, kind: type[events.ScriptEvent], script: str, **details: object) -> None:
        attempt = self.job.rows[script].attempt
        self.job.record(self.job.script_event(kind, script, attempt, self.at, **details))

    def runs(self, script: str, cause: Cause | None = None) -> None:
        self.does(events.ScriptStarted, script)
        if cause:
            self.does(events.ScriptFailed, script, cause=cause, seconds=1)
        else:
            self.does(events.ScriptSucceeded, script, seconds=1)

    def fails(self, script: str, cause: Cause) -> None:
        self.says(events.JobFailed, cause=cause, script=script)
