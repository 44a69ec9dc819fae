"""The events of a job from its start to a failure, of the coordinator and of a session."""

from __future__ import annotations

from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Cause, Frame
from job_execution_framework.domain.job import Job
from tests.support.jobs import make

CAUSE = Cause("Exception", "no 🎬 file\n\u2028", "OSError", Frame("a.py", 3, "main", "open(é)"))


def events_until_failure(job: Job) -> list[events.Event]:
    """Return events for a job of ``open do.retry1 ; …`` that was added, until it fails."""
    run, recorded = "s1-1", list[events.Event]()

    def session_event(
        kind: type[events.ScriptEvent], number: int, attempt: int, **details: object
    ) -> None:
        script = list(job.rows)[number - 1]
        seq = sum(event.origin == run for event in recorded) + 1
        fields = {"script": script, "number": number, "of": 3, "attempt": attempt, **details}
        recorded.append(make(kind, at=5, origin=run, seq=seq, **fields))

    def coordinator_event(kind: type[events.Event], **details: object) -> None:
        seq = job.cursors[job.origin] + sum(event.origin == job.origin for event in recorded) + 1
        recorded.append(make(kind, at=5, origin=job.origin, seq=seq, **details))

    coordinator_event(events.JobStarted)
    coordinator_event(events.SessionOpened, run=run, session="s1", uid="u", scripts=("open", "do"))
    session_event(events.ScriptStarted, 1, 1, parameters={"path": "/a", "n": [1, {"x": None}]})
    session_event(events.ScriptSucceeded, 1, 1, seconds=0.25)
    session_event(events.ScriptStarted, 2, 1)
    session_event(events.ScriptFailed, 2, 1, cause=CAUSE, seconds=1.5)
    session_event(events.ScriptRetrying, 2, 1)
    session_event(events.ScriptStarted, 2, 2)
    session_event(events.ScriptSucceeded, 2, 2, output={"frames": [1, 2]})
    coordinator_event(events.SessionEnded, run=run)
    coordinator_event(events.JobFailed, cause=CAUSE)
    return recorded
