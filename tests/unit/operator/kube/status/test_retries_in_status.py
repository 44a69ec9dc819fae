"""What a status says of a script that waits for its next attempt, and what is restored from it."""

from __future__ import annotations

import pytest

from enso_operator.api.status import EnsoJobStatus, ScriptStatus
from enso_operator.kube.status.retries import reason_failures, spent_in
from enso_operator.kube.status.size import document_of
from enso_operator.kube.status.write import status_of
from job_execution_framework.domain import events
from job_execution_framework.domain.actions import Retry
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.forecast import forecast
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.retries import Budget, Retries, Spent
from job_execution_framework.domain.script import FINALLY, Script, Session, Source, When
from job_execution_framework.domain.steps import Finish, Open, Wait
from tests.support.decisions import decisions
from tests.support.job_history import JobHistory
from tests.unit.operator.kube.status.test_simulation import through_status

LICENCE = Cause("LicenseUnavailable", "No licence for Mantra")
BROKE = Cause(Reason.EXCEPTION, "it broke", error="studio.Busy")
LACKS = Cause(Reason.NO_OUTPUT, "argument 'cache' is the output of bake, which has none")
RETRIES = Retries(1, 5, on_reasons=(Budget("Timeout", 1), Budget("LicenseUnavailable", 3, 60)))


def waiting(*causes: Cause, retries: Retries = RETRIES) -> Job:
    """A job whose script failed once for each cause; its session has ended."""
    history = JobHistory(Job("job", (Script("render", Source("x"), retries=retries),)))
    history.opens("main")
    for cause in causes:
        history.runs("render", cause)
    history.ends()
    return history.job


def test_a_job_that_waits_for_a_retry_says_which_and_why() -> None:
    status = document_of(status_of(waiting(LICENCE, LICENCE), 1, EnsoJobStatus()))
    (succeeded,) = (one for one in status["conditions"] if one["type"] == "Succeeded")
    assert succeeded["message"] == (
        "the job waits: attempt 3 of render starts at 1970-01-01T00:17:48Z, retry 2 of 3 for "
        "LicenseUnavailable; attempt 2 failed: LicenseUnavailable: No licence for Mantra"
    )
    assert (status["script"], status["reason"]) == ("render", "LicenseUnavailable")
    assert (status["scripts"][0]["failures"], status["scripts"][0]["lastReason"]) == (2, 2)
    assert status["scripts"][0]["reasonFailures"] == [0, 2]


def message(job: Job) -> str:
    conditions = document_of(status_of(job, 1, EnsoJobStatus()))["conditions"]
    return str(next(one["message"] for one in conditions if one["type"] == "Succeeded"))


def test_it_says_the_same_for_as_long_as_it_waits_also_after_a_restart() -> None:
    for causes in ([LICENCE], [BROKE], [BROKE, LICENCE], [Cause(Reason.TIMEOUT)]):
        job = waiting(*causes)
        assert message(through_status(job)) == message(job)


def test_in_a_session_the_wait_is_counted_from_the_failure_or_from_the_session_s_end() -> None:
    history = JobHistory(Job("job", (Script("render", Source("x"), retries=RETRIES),)))
    history.opens("main")
    history.runs("render", BROKE)
    assert message(history.job) == (
        "main-1 waits: attempt 2 of render starts at 1970-01-01T00:16:50Z, retry 1 of 1; "
        "attempt 1 failed: studio.Busy: it broke"
    )
    history.runs("render", LICENCE)
    assert message(history.job).startswith(
        "main-1 waits: attempt 3 of render starts 1 min after main-1 has ended, retry 1 of 3 for "
    )


def test_without_a_pause_it_waits_for_its_session_alone() -> None:
    job = waiting(Cause(Reason.TIMEOUT, "ran longer than 9 s"))
    assert message(job) == (
        "the job waits: attempt 2 of render starts as soon as its session runs, retry 1 of 1 for "
        "Timeout; attempt 1 failed: Timeout: ran longer than 9 s"
    )


def test_a_job_whose_session_was_lost_after_a_resume_waits_for_no_retry() -> None:
    script = Script("render", Source("x"), retries=RETRIES)
    history = JobHistory(Job("job", (script,), (Session(retry_lost=1),)))
    history.opens("main")
    history.runs("render", BROKE)
    history.ends()
    history.record(events.JobFailed, cause=BROKE, script="render")
    history.record(events.JobResumed)
    history.opens("main")
    history.ends(Cause(Reason.SESSION_LOST, "its Pod is gone"))
    assert message(history.job) == "0 of 1 scripts are done"


def test_a_finally_script_that_waits_says_so_too() -> None:
    clean = Script("clean", Source("x"), session=FINALLY, retries=RETRIES, when=When.ALWAYS)
    history = JobHistory(Job("job", (Script("save", Source("x")), clean)))
    history.record(events.JobSucceeded)
    history.opens(FINALLY)
    history.runs("clean", LICENCE)
    history.ends()
    assert message(history.job).startswith(
        "the job waits: attempt 2 of clean starts at 1970-01-01T00:17:47Z, retry 1 of 3 for "
    )
    status = document_of(status_of(history.job, 1, EnsoJobStatus()))
    assert (status["script"], status["reason"]) == ("clean", "LicenseUnavailable")


def test_a_restored_job_knows_what_is_left_of_each_budget() -> None:
    for causes in ([LICENCE], [BROKE, LICENCE], [LICENCE, BROKE], [LICENCE] * 3):
        job = waiting(*causes)
        again, now = through_status(job), job.events[-1].at
        assert again.rows["render"].spent == job.rows["render"].spent
        assert decisions(again, now) == decisions(job, now)
        assert isinstance(again.next(now), Wait)
        assert isinstance(again.next(now + 60), Open)
    for causes in ([BROKE, LICENCE, BROKE], [LICENCE] * 4):
        job = waiting(*causes)
        assert isinstance(through_status(job).next(1e9), Finish)


@pytest.mark.parametrize(
    "reason", [Reason.NO_OUTPUT, Reason.SCRIPT_NOT_FOUND, Reason.NO_MAIN, Reason.BAD_PARAMETERS]
)
def test_a_restored_job_knows_that_a_script_is_not_started_again(reason: str) -> None:
    cause = Cause(reason, "it cannot run")
    for retries in (Retries(9), Retries(9, on_reasons=(Budget("Timeout", 1),))):
        job = waiting(BROKE, cause, retries=retries)
        again = through_status(job)
        assert again.rows["render"].spent == job.rows["render"].spent
        assert again.next(1e9) == Finish(cause, "render")


def test_a_count_behind_those_of_listed_reasons_is_of_what_lacked_an_output() -> None:
    retries = Retries(9, on_reasons=(Budget("Timeout", 1),))
    row = ScriptStatus(name="render", state="Failed", failures=1, reason_failures=[0, 1])
    assert spent_in(row, retries) == (Spent("NoOutput", 1),)
    assert reason_failures(waiting(LACKS, retries=retries).rows["render"], retries) == [0, 1]


def test_a_restored_job_knows_the_budget_of_an_exception_though_a_row_has_no_place_for_it() -> None:
    job = waiting(BROKE, retries=Retries(on_reasons=(Budget("studio.Busy", 1, 90),)))
    again, now = through_status(job), job.events[-1].at
    assert again.next(now) == job.next(now) == Wait(now + 90)


def test_a_retry_that_is_asked_for_and_a_plan_say_which_one_it_is() -> None:
    job = waiting(LICENCE, LICENCE)
    assert [one.why for one in forecast(job)] == [
        "attempt 2 failed (retry 2 of 3 for LicenseUnavailable): LicenseUnavailable"
    ]
    assert forecast(waiting(BROKE))[0].why == "attempt 1 failed (retry 1 of 1): studio.Busy"
    job.obey(Retry(), job.events[-1].at)
    assert Retry().outcome(job) == (
        "the next attempt of 'render' starts now, retry 2 of 3 for LicenseUnavailable"
    )


def test_the_card_says_that_no_retry_is_left() -> None:
    job = waiting(*[LICENCE] * 4)
    job.record(events.JobFailed(at=job.events[-1].at, cause=LICENCE, script="render"))
    status = document_of(status_of(job, 1, EnsoJobStatus()))
    assert "retries 3 of 3 for LicenseUnavailable, none is left" in status["why"]
