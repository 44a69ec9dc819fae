"""Skipping a script: when it is possible, which a resume that skips asks, too."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from job_execution_framework.domain import events
from job_execution_framework.domain.action import Action, why_not_named
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.outputs import references
from job_execution_framework.domain.row import ScriptState
from job_execution_framework.domain.transitions import ENDED


@dataclass(frozen=True, kw_only=True)
class Skip(Action):
    """Let a script count as done, and never start it."""

    script: str

    def _why_not(self, job: Job) -> str:
        if job.state in ENDED:
            return f"is {job.state}: resume it and skip {self.script!r} in that resume"
        return why_not_skipped(job, self.script)

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


def why_not_skipped(job: Job, *names: str, again: AbstractSet[str] = frozenset()) -> str:
    """Return why these scripts cannot be skipped; `again` are those that a resume runs again."""
    for name in names:
        if why := why_not_named(job, name):
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
