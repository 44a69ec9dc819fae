"""Going on with a job that has ended or was paused: when it is possible, and with which changes."""

from __future__ import annotations

from dataclasses import dataclass

from job_execution_framework.domain import changes, checkpoint, events
from job_execution_framework.domain.action import SUSPENDED_BY_SPEC, Action, why_not_named
from job_execution_framework.domain.definition import Definition
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.parameters import listed
from job_execution_framework.domain.skip import Skip, why_not_skipped
from job_execution_framework.domain.transitions import ENDED, JobState

MOST_RESUMES = 50
"""How often a job may be resumed."""


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
        if self.from_script and (why := why_not_named(job, self.from_script)):
            return why
        again = set(names[names.index(self.from_script) :]) if self.from_script else set[str]()
        if why := why_not_skipped(job, *self.skip, again=again):
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
        return why_not_skipped(job, *self.skip)

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
        """Say at which script it goes on and what runs again before, or what it waits for."""
        if job.suspended:
            return "resumed; still suspended by its spec"
        if job.closing and job.open_run:
            return f"resumed; it goes on when session {job.open_run.run} has ended"
        goal = job.goal
        if not goal:
            return "resumed; nothing is left to run"
        text = f"resumed; it goes on at {goal.name!r}"
        again = [] if job.open_run else checkpoint.to_replay(job.main, job.rows, goal)
        if not again:
            return text
        have = "has" if len(again) == 1 else "have"
        return f"{text} after {listed([script.name for script in again])} {have} run again"


def _why_not_finished(job: Job) -> str:
    names = ", ".join(script.name for script in job.finally_to_come())
    if not job.cleans_up:
        return ""
    what = f"its finally scripts run ({names})" if names else "its finally scripts are being ended"
    return f"is {job.state}, and {what}: wait until they are over, or cancel them"
