"""What is to come for each script of a job: what runs, what runs again and why, what is kept.

`enso plan`, ``enso resume --dry-run`` and ``enso run --resume`` tell it before anything happens. It
holds if every script succeeds when it is started next, and no session is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from job_execution_framework.domain.actions import Action
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.checkpoint import vouches
from job_execution_framework.domain.going_on import is_past
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.outputs import references, why_absent
from job_execution_framework.domain.retries import LONG_PAUSE_SECONDS, Retries
from job_execution_framework.domain.row import Row, ScriptState
from job_execution_framework.domain.script import Container, Script, When
from job_execution_framework.domain.transitions import JobState


class Fate(str, Enum):
    """What becomes of a script."""

    RUNS_NOW = "runs now"
    RUNS = "runs"
    RUNS_AGAIN = "runs again"
    KEPT = "kept"
    SKIPPED = "skipped"
    NOT_REACHED = "not reached"
    PASSED = "failed"
    AT_THE_END = "at the end"


STARTS = (Fate.RUNS, Fate.RUNS_AGAIN)
"""The scripts of these fates are started."""


_ENDS = {
    When.ALWAYS: "finally: however the job ends",
    When.SUCCEEDED: "finally: if the job succeeds",
    When.FAILED: "finally: if the job fails",
}


@dataclass(frozen=True)
class Forecast:
    """What is to come for one script, and why; no reason where it simply has not run yet."""

    script: Script
    fate: Fate
    why: str = ""


def forecast(job: Job, action: Action | None = None) -> tuple[Forecast, ...]:
    """Say what is to come for each script, in the job's order, if `action` is done now.

    The job stays as it is. Raises InvalidAction where the action is not possible.
    """
    after = job.copy()
    if action:
        after.obey(action, 0)
    doom = _doom(after)
    found: dict[str, Forecast] = {}
    for script in job.scripts:
        outlook = _of(script, job, after, doom)
        if outlook.fate in STARTS and (why := _why_it_fails(script, after, found)):
            outlook = Forecast(script, Fate.PASSED if script.continues else Fate.NOT_REACHED, why)
            doom = doom if script.continues else f"the job fails: {script.name} lacks an output"
        found[script.name] = outlook
    return tuple(found.values())


def _why_it_fails(script: Script, job: Job, found: Mapping[str, Forecast]) -> str:
    """Return why a script that is started fails before its `main` is called; empty if it is not.

    An output that it needs will not be there: its script does not have it, nor runs before it.
    """
    for argument, of in references(script.parameters).items():
        returns = found[of.script].fate in (*STARTS, Fate.RUNS_NOW)
        if not returns and (why := why_absent(of, job.outputs.get(of.script))):
            return f"argument {argument!r} is {of}, {why}"
    return ""


def _of(script: Script, before: Job, job: Job, doom: str) -> Forecast:
    row = job.rows[script.name]
    if script.when is not None:
        now = job.runs_finally and row.state is ScriptState.RUNNING
        return Forecast(script, Fate.RUNS_NOW if now else Fate.AT_THE_END, _ENDS[script.when])
    if row.state is ScriptState.RUNNING and _goes_on(job):
        return Forecast(script, Fate.RUNS_NOW)
    if row.skip_requested or (row.done and not row.succeeded):
        return Forecast(script, Fate.SKIPPED, _who_skips(before.rows[script.name]))
    if is_past(script, row):
        return Forecast(script, Fate.PASSED, "the job goes on past it, and fails at its end")
    if doom:
        return Forecast(script, Fate.KEPT if row.done else Fate.NOT_REACHED, doom)
    if row.done:
        return _of_done(script, job)
    if before.rows[script.name].done:
        return Forecast(script, Fate.RUNS_AGAIN, "this resume asks for it")
    return Forecast(script, Fate.RUNS, _how_it_ended(row, script.retries))


def _who_skips(before: Row) -> str:
    """Say whether a script that is skipped was so before, or is skipped by what is asked now."""
    was_skipped = before.skip_requested or (before.done and not before.succeeded)
    return "somebody asked for it before" if was_skipped else "as you ask"


def _of_done(script: Script, job: Job) -> Forecast:
    if _goes_on(job) and script.name in job.warm:
        return Forecast(script, Fate.KEPT, "its work is in the memory of the session that runs")
    if script not in job.to_come():
        return Forecast(script, Fate.KEPT, _what_keeps_it(script, job))
    if script.setup:
        return Forecast(script, Fate.RUNS_AGAIN, "setup: it prepares each new interpreter")
    return Forecast(script, Fate.RUNS_AGAIN, "its work was in memory, which is lost")


def _goes_on(job: Job) -> bool:
    """Whether the open session run goes on, and keeps the memory of its interpreter."""
    run = job.open_run
    if run is None or job.closing is not None or job.state is not JobState.RUNNING:
        return False
    of_run = [script for script in job.to_come() if script.session == run.session]
    return not any(_ends_to_wait(script, job.rows[script.name], run.at) for script in of_run)


def _ends_to_wait(script: Script, row: Row, opened_at: float) -> bool:
    """Whether the run that was opened then ends, as the script failed in it and waits for long."""
    failed_at = row.latest.ended_at
    has_failed = failed_at is not None and failed_at >= opened_at
    return has_failed and row.pause(script.retries) >= LONG_PAUSE_SECONDS


def _doom(job: Job) -> str:
    """Return why the job fails once its open session run has ended; empty where it does not."""
    goal = _goal(job)
    for script in job.to_come():
        if failure := job.failure_at(script):
            return f"the job fails: {failure.script} failed for good"
        if script is goal:
            break
    return ""


def _goal(job: Job) -> Script | None:
    """Return the first script that runs and is not done; None where all are."""
    return next((script for script in job.to_come() if not job.rows[script.name].done), None)


def _how_it_ended(row: Row, retries: Retries) -> str:
    """Return how the latest attempt of a script ended that is not done."""
    latest, cause = row.latest, row.latest.cause
    if latest.state is ScriptState.FAILED:
        budget, failures = row.budget_of(retries)
        which = f" ({row.next_retry(retries)})" if 0 < failures <= budget.limit else ""
        why = f": {_kind_of(cause)}" if cause else ""
        return f"attempt {latest.number} failed{which}{why}"
    if latest.state is ScriptState.INTERRUPTED:
        return f"nobody knows how attempt {latest.number} ended"
    if latest.state is ScriptState.RUNNING:
        return f"attempt {latest.number} is being stopped"
    return ""


def _kind_of(cause: Cause) -> str:
    """Return the reason of a failure, or the type of the exception where that is the reason."""
    return (cause.error if cause.reason == Reason.EXCEPTION else "") or cause.reason


def _what_keeps_it(script: Script, job: Job) -> str:
    """Return why a script that succeeded need not run again."""
    goal = _goal(job)
    if goal is None or script.session != goal.session:
        is_alone = isinstance(script.work, Container) or goal is None
        return "it is done" if is_alone else f"all of session {script.session} is done"
    if job.main.index(script) > job.main.index(goal):  # the job went on past `goal` to it
        return "it is done, and nothing after it needs its work"
    if vouches(script, job.rows[script.name]):
        return "checkpoint: its effect is on disk"
    behind = [
        later.name
        for later in job.main[job.main.index(script) + 1 : job.main.index(goal)]
        if later.session == script.session and vouches(later, job.rows[later.name])
    ]
    return f"its effect is kept by checkpoint {behind[-1]}"
