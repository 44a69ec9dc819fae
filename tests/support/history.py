"""The events of a job from its start to a failure, of the coordinator and of a session."""

from __future__ import annotations

from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Cause, Frame
from job_execution_framework.domain.job import Job
from tests.support.jobs import make

CAUSE = Cause("Exception", "no 🎬 file\n\u2028", "OSError", Frame("a.py", 3, "main", "open(é)"))


def whole_life(job: Job) -> list[events.Event]:
    """Return the events of a job of ``open do.retry1 ; …`` that was only added so far."""
    run, life = "s1-1", list[events.Event]()

    def did(kind: type[events.ScriptEvent], number: int, attempt: int, **more: object) -> None:
        script = list(job.rows)[number - 1]
        seq = sum(event.origin == run for event in life) + 1
        about = {"script": script, "number": number, "of": 3, "attempt": attempt, **more}
        life.append(make(kind, at=5, origin=run, seq=seq, **about))

    def said(kind: type[events.Event], **more: object) -> None:
        seq = job.cursors[job.origin] + sum(event.origin == job.origin for event in life) + 1
        life.append(make(kind, at=5, origin=job.origin, seq=seq, **more))

    said(events.JobStarted)
    said(events.SessionOpened, run=run, session="s1", uid="u", scripts=("open", "do"))
    did(events.ScriptStarted, 1, 1, parameters={"path": "/a", "n": [1, {"x": None}]})
    did(events.ScriptSucceeded, 1, 1, seconds=0.25)
    did(events.ScriptStarted, 2, 1)
    did(events.ScriptFailed, 2, 1, cause=CAUSE, seconds=1.5)
    did(events.ScriptRetrying, 2, 1)
    did(events.ScriptStarted, 2, 2)
    did(events.ScriptSucceeded, 2, 2, output={"frames": [1, 2]})
    said(events.SessionEnded, run=run)
    said(events.JobFailed, cause=CAUSE)
    return life
