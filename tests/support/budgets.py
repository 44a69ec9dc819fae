"""What the simulated world knows of retries, by its own count of what was recorded."""

from __future__ import annotations

from collections import Counter

from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Cause
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.retries import Retries
from job_execution_framework.domain.row import ScriptState
from job_execution_framework.domain.script import Script
from job_execution_framework.service_layer.records import from_log, only_events
from tests.support.sessions import SimulatedSession

LONG_SECONDS = 60


def assert_may_start(
    job: Job, session: SimulatedSession, script: Script, now: float, *, is_forced: bool
) -> None:
    """Assert that no budget of a script is used up, and that it waited, but not in its session."""
    failures = _failures(job, session, script.name)
    if failures is None:
        return
    of_budget = Counter(_budget(script.retries, failure.cause) for failure in failures)
    for budget in script.retries.budgets:
        used = of_budget[budget.reason]
        assert used <= budget.limit, f"{script.name} starts again, {budget.reason} is used up"
    if not failures or session.rows[script.name].state is not ScriptState.FAILED:
        return
    last = failures[-1]
    pause = _pause(script.retries, _budget(script.retries, last.cause), of_budget)
    if last.origin == session.run:
        assert pause < LONG_SECONDS or is_forced, "a session held its licence for a long wait"
        assert now >= last.at + pause or is_forced, "it did not wait"
    else:
        assert now >= _end_of(job, last) + pause or is_forced, "no session waited, and it did not"


def _budget(retries: Retries, cause: Cause) -> str:
    """Return the reason whose budget a failure uses up."""
    listed = [budget.reason for budget in retries.on_reasons]
    if cause.error in listed:
        return cause.error
    return cause.reason if cause.reason in listed else ""


def _pause(retries: Retries, reason: str, of_budget: Counter[str]) -> float:
    first = {budget.reason: budget.backoff_seconds for budget in retries.budgets}[reason]
    pause = first * retries.factor ** (of_budget[reason] - 1)
    return pause if retries.max_seconds is None else min(pause, retries.max_seconds)


def _failures(job: Job, session: SimulatedSession, name: str) -> list[events.ScriptFailed] | None:
    """Return the failures of a script that count: those since the job's start or last resume.

    What a run wrote counts no more once the job was resumed without it. None in such a run.
    """
    counted: dict[tuple[str, int], events.ScriptFailed] = {}
    late, opened = set[str](), ""
    own = only_events(from_log(session.log))
    for event in (*job.events, *own):
        if isinstance(event, events.SessionOpened):
            opened = event.run
        elif isinstance(event, events.SessionEnded):
            opened = ""
        elif isinstance(event, events.JobResumed):
            counted, late = {}, {*late, opened}
        elif isinstance(event, events.JobUnpaused) and event.changed:
            late = {*late, opened}
        elif isinstance(event, events.ScriptFailed) and event.origin not in late:
            counted[event.origin, event.seq] = event
    if session.run in late:
        return None
    failures = [event for event in counted.values() if event.script == name]
    return sorted(failures, key=lambda event: event.attempt)


def _end_of(job: Job, failure: events.ScriptFailed) -> float:
    """Return when the session of a failure was found to have ended."""
    ends = [
        event.at
        for event in job.events
        if isinstance(event, events.SessionEnded) and event.run == failure.origin
    ]
    return ends[0] if ends else failure.at
