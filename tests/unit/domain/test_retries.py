"""Budgets of retries: which failure uses up which, how long each pause is, and what follows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from job_execution_framework.domain import events
from job_execution_framework.domain.actions import Resume, Retry
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.errors import InvalidJob
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.retries import Budget, Retries, Spent
from job_execution_framework.domain.script import Script, Session, Source
from job_execution_framework.domain.steps import Finish, Open, Start, Step, Wait
from job_execution_framework.service_layer.library import ScriptLibrary
from job_execution_framework.service_layer.plan import Plan

LICENCE = Cause("LicenseUnavailable", "no licence for Mantra")
BROKE = Cause(Reason.EXCEPTION, "it broke", error="ValueError")
LATE = Cause(Reason.TIMEOUT, "ran longer than 9 s")
PATIENT = Budget("LicenseUnavailable", 100, 60)


@pytest.mark.parametrize(
    ("cause", "reasons", "used"),
    [
        (LICENCE, ["Timeout", "LicenseUnavailable"], "LicenseUnavailable"),
        (LATE, ["Timeout", "LicenseUnavailable"], "Timeout"),
        (BROKE, ["ValueError"], "ValueError"),
        (BROKE, ["Exception"], "Exception"),
        (BROKE, ["ValueError", "Exception"], "ValueError"),
        (BROKE, ["Exception", "ValueError"], "ValueError"),
        (BROKE, ["Value", "valueerror"], ""),
        (Cause(Reason.EXCEPTION, error="hou.Error"), ["Error"], "Error"),
        (Cause(Reason.EXCEPTION, error="hou.Error"), ["Error", "hou.Error"], "hou.Error"),
        (Cause(Reason.EXCEPTION, error="hou.Error"), ["hou"], ""),
        (Cause(Reason.EXCEPTION, error="studio.NoOutput"), [], ""),
        (Cause(Reason.EXCEPTION, error="BadParameters"), ["Timeout"], ""),
        (LICENCE, [], ""),
        (None, ["Timeout"], ""),
    ],
)
def test_a_failure_uses_up_the_budget_of_its_exception_or_else_of_its_reason(
    cause: Cause | None, reasons: list[str], used: str
) -> None:
    retries = Retries(on_reasons=tuple(Budget(reason, 1) for reason in reasons))
    assert retries.reason_for(cause) == used


@pytest.mark.parametrize(
    ("retries", "pauses"),
    [
        (Retries(9), [0, 0, 0]),
        (Retries(9, 30), [30, 30, 30]),
        (Retries(9, 10, factor=2), [10, 20, 40, 80]),
        (Retries(9, 10, factor=1.5), [10, 15, 22.5]),
        (Retries(9, 10, factor=2, max_seconds=35), [10, 20, 35, 35]),
        (Retries(9, 50, max_seconds=35), [35, 35]),
        (Retries(9, 0, factor=2, max_seconds=35), [0, 0]),
    ],
)
def test_each_pause_is_longer_by_the_factor_up_to_the_ceiling(
    retries: Retries, pauses: list[float]
) -> None:
    assert [retries.pause("", number) for number in range(1, len(pauses) + 1)] == pauses


def test_a_pause_stays_a_number_however_often_it_was_multiplied() -> None:
    assert Retries(10**9, 1, factor=10).pause("", 10**6) == 366 * 24 * 3600


def test_factor_and_ceiling_hold_for_each_budget_from_its_own_first_failure_on() -> None:
    retries = Retries(9, 10, 2, 100, (Budget("Timeout", 9, 30),))
    assert [retries.pause("Timeout", number) for number in (1, 2, 3)] == [30, 60, 100]
    job = in_a_session(retries)
    for cause, pause in [(BROKE, 10), (LATE, 30), (BROKE, 20), (LATE, 60), (BROKE, 40)]:
        fail(job, cause)
        assert job.rows["do"].pause(retries) == pause


@pytest.mark.parametrize(
    ("retries", "mistake"),
    [
        (Retries(-1), "retries.limit is -1, but must be positive"),
        (Retries(1, factor=0.5), "retries.factor is 0.5, but must be from 1 to 10"),
        (Retries(1, factor=float("nan")), "retries.factor is nan, but must be from 1 to 10"),
        (Retries(1, max_seconds=-1), "retries.maxSeconds is -1, but must be positive"),
        (
            Retries(on_reasons=(Budget("Timeout", -1),)),
            "retries.onReasons[Timeout].limit is -1, but must be positive",
        ),
        (
            Retries(on_reasons=(Budget("Timeout", 1), Budget("Timeout", 2))),
            "retries.onReasons has Timeout more than once: remove all but one",
        ),
        (
            Retries(on_reasons=(Budget(""),)),
            (
                "retries.onReasons has the reason '': write the reason of a failure, or the type "
                "of an exception, of at most 64 characters"
            ),
        ),
        (
            Retries(on_reasons=tuple(Budget(f"R{i}") for i in range(11))),
            "retries.onReasons has 11 entries: use at most 10",
        ),
    ],
)
def test_budgets_that_mean_nothing_are_refused(retries: Retries, mistake: str) -> None:
    with pytest.raises(InvalidJob) as refused:
        Job("job", (script(retries),))
    assert str(refused.value) == f"script 'do': {mistake}"


def script(retries: Retries, name: str = "do") -> Script:
    return Script(name, Source("def main(): pass"), retries=retries)


def in_a_session(retries: Retries) -> Job:
    """Return a job as it is inside its session."""
    job = Job("job", (script(retries), script(Retries(), "save")))
    job.record(events.JobAdded(at=0))
    job.record(events.JobStarted(at=0))
    step = job.next(0)
    assert isinstance(step, Open)
    return Plan.of(job, step, ScriptLibrary([])).job()


def fail(job: Job, cause: Cause, name: str = "do", at: float = 0) -> Step:
    """Let the next attempt fail; return what is to happen then."""
    number = job.rows[name].attempt + 1
    job.record(job.script_event(events.ScriptStarted, name, number, at))
    job.record(job.script_event(events.ScriptFailed, name, number, at, cause=cause))
    return job.next(at)


def test_a_failure_for_a_listed_reason_does_not_count_against_the_limit() -> None:
    job = in_a_session(Retries(1, on_reasons=(Budget("LicenseUnavailable", 3),)))
    for cause in (LICENCE, BROKE, LICENCE, LICENCE):
        assert isinstance(fail(job, cause), Start)
    assert job.rows["do"].failures == 4
    assert job.rows["do"].spent == (Spent("LicenseUnavailable", 3),)


@pytest.mark.parametrize("last", [BROKE, LICENCE])
def test_the_budget_of_one_cause_that_is_used_up_fails_the_script_though_others_are_left(
    last: Cause,
) -> None:
    job = in_a_session(Retries(1, on_reasons=(Budget("LicenseUnavailable", 1),)))
    assert isinstance(fail(job, last), Start)
    assert fail(job, last) == Finish(last, "do")


def test_a_reason_with_no_retries_fails_at_once() -> None:
    job = in_a_session(Retries(9, on_reasons=(Budget("ValueError", 0),)))
    assert fail(job, BROKE) == Finish(BROKE, "do")


@pytest.mark.parametrize(
    "reason", [Reason.NO_OUTPUT, Reason.SCRIPT_NOT_FOUND, Reason.NO_MAIN, Reason.BAD_PARAMETERS]
)
def test_what_no_attempt_mends_fails_at_once_unless_its_retries_name_it(reason: str) -> None:
    cause = Cause(reason, "it cannot run")
    assert fail(in_a_session(Retries(9)), cause) == Finish(cause, "do")
    named = in_a_session(Retries(on_reasons=(Budget(reason, 1),)))
    assert isinstance(fail(named, cause), Start)
    assert fail(named, cause) == Finish(cause, "do")


def test_a_session_waits_itself_for_a_short_pause() -> None:
    job = in_a_session(Retries(9, 59))
    assert fail(job, BROKE, at=100) == Wait(159)


@pytest.mark.parametrize("retries", [Retries(9, 60), Retries(9, on_reasons=(PATIENT,))])
def test_a_session_has_nothing_more_to_do_where_a_pause_is_long(retries: Retries) -> None:
    job = in_a_session(retries)
    assert fail(job, LICENCE, at=100) == Wait()
    assert isinstance(job.next(160), Start)


def test_a_session_ends_at_the_failure_by_which_its_pause_has_become_long() -> None:
    job = in_a_session(Retries(9, 20, factor=2))
    assert fail(job, BROKE, at=100) == Wait(120)
    assert fail(job, BROKE, at=120) == Wait(160)
    assert fail(job, BROKE, at=160) == Wait()


def test_a_process_that_runs_the_whole_job_waits_itself_however_long() -> None:
    job = in_a_session(Retries(9, 3600))
    job.origin = events.COORDINATOR  # as `execute` runs a job, without a session
    assert fail(job, BROKE, at=100) == Wait(3700)


def coordinated(retries: Retries, session: Session | None = None) -> Job:
    """Return a job whose session ended for the pause after its first failure, at 110."""
    setup = Script("open", Source("def main(): pass"), setup=True)
    job = Job("job", (setup, script(retries)), (session or Session(),))
    job.record(events.JobAdded(at=0))
    job.record(events.JobStarted(at=0))
    run_once(job, LICENCE, at=100)
    return job


def run_once(job: Job, cause: Cause, at: float) -> None:
    """Open the session that is due, let both scripts run, and let it end."""
    step = job.next(at)
    assert isinstance(step, Open), step
    opened = events.SessionOpened(
        at=at, run=step.run, session=step.session, uid=step.run, scripts=step.scripts
    )
    job.record(opened)
    assert step.scripts == ("open", "do")
    told: list[tuple[type[events.ScriptEvent], str, dict[str, object]]] = [
        (events.ScriptStarted, "open", {}),
        (events.ScriptSucceeded, "open", {}),
        (events.ScriptStarted, "do", {}),
        (events.ScriptFailed, "do", {"cause": cause}),
    ]
    for seq, (kind, name, details) in enumerate(told, start=1):
        number = job.rows[name].attempt + (kind is events.ScriptStarted)
        event = job.script_event(kind, name, number, at, **details)
        job.apply(replace(event, origin=step.run, seq=seq))
    job.record(events.SessionEnded(at=at + 10, run=step.run))


def test_the_coordinator_waits_from_the_end_of_the_session_and_then_opens_another() -> None:
    job = coordinated(Retries(on_reasons=(PATIENT,)))
    assert job.next(169) == Wait(170)
    assert job.next(170) == Open("main-2", "main", ("open", "do"))


def test_a_retry_that_somebody_asks_for_ends_the_long_wait() -> None:
    job = coordinated(Retries(on_reasons=(PATIENT,)))
    job.obey(Retry(), 120)
    assert isinstance(job.next(120), Open)


def test_long_waits_go_on_for_as_long_as_the_budget_lasts_and_no_longer() -> None:
    job = coordinated(Retries(on_reasons=(Budget("LicenseUnavailable", 2, 60),)))
    run_once(job, LICENCE, at=200)
    run_once(job, LICENCE, at=300)
    assert job.next(400) == Finish(LICENCE, "do")


def test_a_resume_gives_every_budget_anew() -> None:
    job = coordinated(Retries(on_reasons=(Budget("LicenseUnavailable", 0, 60),)))
    job.record(events.JobFailed(at=120, cause=LICENCE, script="do"))
    job.obey(Resume(), 130)
    assert job.rows["do"].spent == ()
    assert isinstance(job.next(130), Open)


def test_a_failure_for_a_reason_that_has_no_budget_any_more_counts_as_any_other() -> None:
    job = in_a_session(Retries(1, on_reasons=(Budget("LicenseUnavailable", 9),)))
    fail(job, LICENCE)
    fail(job, LICENCE)
    assert not job.rows["do"].failed_for_good(job.script("do").retries)
    assert job.rows["do"].failed_for_good(Retries(1))


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({}, "1/2 do, attempt 7, again now"),
        ({"after_seconds": 30.0}, "1/2 do, attempt 7, again in 30 s"),
        (
            {"after_seconds": 60.0, "retry": 3, "limit": 100, "reason": "LicenseUnavailable"},
            "1/2 do, attempt 7, retry 3 of 100 for LicenseUnavailable, again in 1 min",
        ),
        ({"retry": 1, "limit": 2}, "1/2 do, attempt 7, retry 1 of 2, again now"),
    ],
)
def test_the_event_says_which_retry_of_which_budget_comes(
    fields: dict[str, object], line: str
) -> None:
    job = in_a_session(Retries(2))
    assert job.script_event(events.ScriptRetrying, "do", 7, 0, **fields).details() == line
