"""What the simulated world knows of retries, by its own count of what was recorded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Cause, Reason
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
    own = only_events(from_log(session.log))
    failures, late = _failures(job, own)
    if session.run in late:
        return
    failures = [failure for failure in failures if failure.script == script.name]
    of_budget = Counter(_budget(script.retries, failure.cause) for failure in failures)
    for reason, limit in _limits(script.retries).items():
        assert of_budget[reason] <= limit, f"{script.name} starts again, {reason} is used up"
    if not failures or session.rows[script.name].state is not ScriptState.FAILED:
        return
    last = failures[-1]
    pause = _pause(script.retries, _budget(script.retries, last.cause), of_budget)
    if last.origin == session.run:
        assert pause < LONG_SECONDS or is_forced, "a session held its licence for a long wait"
        assert now >= last.at + pause or is_forced, "it did not wait"
    else:
        assert now >= _end_of(job, last) + pause or is_forced, "no session waited, and it did not"


def assert_nothing_hopeless_was_retried(job: Job) -> None:
    """Assert that what lacked an output was not tried again, but where its retries name that."""
    failures, _ = _failures(job, ())
    lacking = Counter(one.script for one in failures if one.cause.reason == Reason.NO_OUTPUT)
    for name, times in lacking.items():
        assert times <= 1 + _limits(job.script(name).retries)[Reason.NO_OUTPUT], f"{name} is"


def _limits(retries: Retries) -> dict[str, int]:
    listed = {budget.reason: budget.limit for budget in retries.on_reasons}
    return {Reason.NO_OUTPUT: 0, **listed, "": retries.limit}


def _budget(retries: Retries, cause: Cause) -> str:
    """Return the reason whose budget a failure uses up."""
    limits = _limits(retries)
    if cause.error in limits and cause.error:
        return cause.error
    return cause.reason if cause.reason in limits else ""


def _pause(retries: Retries, reason: str, of_budget: Counter[str]) -> float:
    of_reasons = {budget.reason: budget.backoff_seconds for budget in retries.on_reasons}
    first = of_reasons.get(reason, retries.backoff_seconds)
    pause = first * retries.factor ** (of_budget[reason] - 1)
    return pause if retries.max_seconds is None else min(pause, retries.max_seconds)


def _failures(job: Job, own: Iterable[events.Event]) -> tuple[list[events.ScriptFailed], set[str]]:
    """Return the failures that count: those since the job's start or last resume, in order.

    What a run wrote counts no more once the job was resumed without it: the runs are returned, too.
    `own` is what a session wrote that the job may not have seen.
    """
    counted: dict[tuple[str, int], events.ScriptFailed] = {}
    late, opened = set[str](), ""
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
    return sorted(counted.values(), key=lambda event: event.attempt), late


def _end_of(job: Job, failure: events.ScriptFailed) -> float:
    """Return when the session of a failure was found to have ended."""
    ends = [
        event.at
        for event in job.events
        if isinstance(event, events.SessionEnded) and event.run == failure.origin
    ]
    return ends[0] if ends else failure.at
