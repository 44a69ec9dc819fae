"""Records events of a job, of its coordinator and of its session, one second after the other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Cause
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.transitions import JobState


class JobHistory:
    """Records events of a job; each is one second later than the one before."""

    def __init__(self, job: Job, at: float | None = None) -> None:
        self.job = job
        self.at = max([1000.0, *(event.at for event in job.events)]) if at is None else at
        if not job.events:
            self.record(events.JobAdded, scripts=tuple(job.rows))
        if job.state is JobState.WAITING:
            self.record(events.JobStarted)

    def record(self, kind: type[events.Event], **details: Any) -> None:  # noqa: ANN401  # its fields
        self.at += 1
        self.job.record(kind(at=self.at, **details))

    def opens(self, session: str = "s1", uid: str = "uid") -> None:
        run = f"{session}-{self.job.runs.get(session, 0) + 1}"
        scripts = tuple(s.name for s in self.job.scripts if s.session == session)
        self.record(events.SessionOpened, run=run, session=session, uid=uid, scripts=scripts)

    def ends(self, cause: Cause | None = None) -> None:
        assert self.job.open_run
        self.record(events.SessionEnded, run=self.job.open_run.run, cause=cause)

    def record_in_session(
        self, kind: type[events.ScriptEvent], script: str, **details: object
    ) -> None:
        assert self.job.open_run
        self.at += 1
        run, starts = self.job.open_run.run, kind is events.ScriptStarted
        attempt = self.job.rows[script].attempt + starts
        event = self.job.script_event(kind, script, attempt, self.at, **details)
        seq = self.job.cursors.get(run, 0) + 1
        self.job.apply(replace(event, origin=run, seq=seq))

    def record_for_script(
        self, kind: type[events.ScriptEvent], script: str, **details: object
    ) -> None:
        attempt = self.job.rows[script].attempt
        self.job.record(self.job.script_event(kind, script, attempt, self.at, **details))

    def runs(self, script: str, cause: Cause | None = None) -> None:
        self.record_in_session(events.ScriptStarted, script)
        if cause:
            self.record_in_session(events.ScriptFailed, script, cause=cause, seconds=1)
        else:
            self.record_in_session(events.ScriptSucceeded, script, seconds=1)

    def fails(self, script: str, cause: Cause) -> None:
        self.record(events.JobFailed, cause=cause, script=script)
