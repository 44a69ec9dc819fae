"""The sentence of a job that is held: by whom, where it stands, and what lets it go on."""

from __future__ import annotations

from itertools import takewhile

from job_execution_framework.domain.control import retrying
from job_execution_framework.domain.events import Asked, JobPaused, JobResumed, JobUnpaused
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.row import ScriptState
from job_execution_framework.domain.script import Script

NOBODY = Asked()


def pause_of(job: Job) -> str:
    """Return how a job is held of which nothing runs."""
    goal = job.goal
    what = f"goes on with {goal.name}" if goal else "has nothing left to run"
    if goal and not any(row.has_attempt or row.done for row in job.rows.values()):
        what = f"begins with {goal.name}"
    if not job.paused:
        return f"Suspended by its spec: the job {what} once spec.suspend is false."
    asked = _asked(job)
    by = f" by {asked.by}" if asked.by else ""
    why = f" ({asked.why})" if asked.why else ""
    where = goal and (_retry(job) or _after(job, goal))
    held = "; it stays suspended by its spec" if job.suspended else ""
    if retried := _retrying(job):
        what = f"goes on with attempt {job.rows[retried.name].attempt + 1} of {retried.name}"
    return f"Paused{by}{why}{where or ''}. A resume {what}{held}."


def _asked(job: Job) -> Asked:
    """Return the event of whoever asked; one that says that the pause has begun names nobody."""
    since = takewhile(
        lambda event: not isinstance(event, JobUnpaused | JobResumed), reversed(job.events)
    )
    pauses = (event for event in since if isinstance(event, JobPaused))
    return next((event for event in pauses if event.by or event.why), NOBODY)


def _after(job: Job, goal: Script) -> str:
    before = [script.name for script in takewhile(lambda script: script is not goal, job.main)]
    return f" after {before[-1]}" if before else ""


def _retrying(job: Job) -> Script | None:
    script = retrying(job)
    return script if script and job.rows[script.name].state is ScriptState.FAILED else None


def _retry(job: Job) -> str:
    """Return why a script was to be tried again; "" where none was."""
    script = _retrying(job)
    if script is None:
        return ""
    row = job.rows[script.name]
    why = f": {row.latest.cause}" if row.latest.cause else ""
    waited = f"while {script.name} waited for {row.next_retry(script.retries)}"
    return f" {waited}, as attempt {row.attempt} failed{why}"
