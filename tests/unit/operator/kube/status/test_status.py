"""The status of an EnsoJob: what people read in it, how large it may be, how little is sent."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from enso_operator.api.status import EnsoJobStatus
from enso_operator.coordinator.session_location import SessionLocation
from enso_operator.kube.event_recorder import is_warning
from enso_operator.kube.status.conditions import invalid_job_status
from enso_operator.kube.status.fields import one_line
from enso_operator.kube.status.read import restored
from enso_operator.kube.status.size import document_of, merge_patch
from enso_operator.kube.status.write import status_of
from job_execution_framework.domain import events
from job_execution_framework.domain.actions import Resume
from job_execution_framework.domain.cause import Cause, Frame
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.steps import Finish, Open, Wait
from job_execution_framework.domain.transitions import JobState
from tests.support.job_history import JobHistory
from tests.support.jobs import job_of

FRESH = EnsoJobStatus()
OUT_OF_MEMORY = Cause(
    "OutOfMemory", "cache exceeded 2 GiB", "MemoryError", Frame("simulate.py", 88, "main", "step()")
)


def failed_job() -> Job:
    history = JobHistory(job_of("open.setup simulate.retry1 publish"))
    history.opens()
    history.runs("open")
    history.runs("simulate", OUT_OF_MEMORY)
    history.runs("simulate", OUT_OF_MEMORY)
    history.ends()
    history.fails("simulate", OUT_OF_MEMORY)
    return history.job


def test_what_people_read_of_a_job_that_failed() -> None:
    status = document_of(status_of(failed_job(), 3, FRESH))
    line = (
        "simulate failed: MemoryError: cache exceeded 2 GiB; attempt 2, 1.0 s; "
        "resume: kubectl enso resume job"
    )
    assert {condition["type"]: condition["status"] for condition in status["conditions"]} == {
        "Succeeded": "False",
        "Finished": "True",
        "Ready": "False",
        "Reconciling": "False",
        "Stalled": "True",
    }
    for condition in status["conditions"]:
        told = condition["reason"], condition["message"], condition["observedGeneration"]
        assert told == ("Failed", line, 3)
    assert status["scripts"][1] == {
        "name": "simulate",
        "state": "Failed",
        "attempt": 2,
        "startTime": "1970-01-01T00:16:48Z",
        "completionTime": "1970-01-01T00:16:49Z",
        "reason": "OutOfMemory",
        "message": "MemoryError: cache exceeded 2 GiB",
        "failures": 2,
        "earlier": [
            {
                "attempt": 1,
                "state": "Failed",
                "startTime": "1970-01-01T00:16:46Z",
                "completionTime": "1970-01-01T00:16:47Z",
                "reason": "OutOfMemory",
            }
        ],
    }
    assert (status["done"], status["script"], status["reason"]) == (
        "1/3",
        "simulate",
        "OutOfMemory",
    )
    assert status["failure"]["at"]["line"] == 88
    assert status["why"][-4].startswith("at      simulate, line 88")
    assert status["why"][-3:] == [
        "retries 1 of 1, none is left",
        "resume  kubectl enso resume job",
        "        runs open (setup), simulate, publish",
    ]
    assert list(status)[-1] == "why"


def test_a_condition_keeps_its_time_until_its_status_changes() -> None:
    history = JobHistory(job_of("open do"))
    first = status_of(history.job, 1, FRESH)
    history.opens()
    history.runs("open")
    second = status_of(history.job, 1, first)
    history.runs("do")
    history.ends()
    history.record(events.JobSucceeded)
    third = status_of(history.job, 1, second)
    times = [
        [condition.last_transition_time.timestamp() for condition in status.conditions or ()]
        for status in (first, second, third)
    ]
    assert times == [[1002] * 5, [1002] * 5, [1009, 1009, 1009, 1009, 1002]]


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ((), "0 of 2 scripts are done"),
        ((events.ScriptStarted,), "open (1 of 2) runs, attempt 1"),
        ((events.ScriptStarted, events.ScriptSucceeded), "1 of 2 scripts are done"),
    ],
)
def test_a_running_job_says_where_it_is(
    what: tuple[type[events.ScriptEvent], ...], says: str
) -> None:
    history = JobHistory(job_of("open do"))
    history.opens()
    for kind in what:
        history.record_in_session(kind, "open")
    status = status_of(history.job, 1, FRESH)
    assert {condition.message for condition in status.conditions or ()} == {says}
    assert {condition.type: condition.status for condition in status.conditions or ()} == {
        "Succeeded": "Unknown",
        "Finished": "False",
        "Ready": "False",
        "Reconciling": "True",
        "Stalled": "False",
    }


QUOTA = Cause("FailedCreate", "pods is forbidden: exceeded quota")


@pytest.mark.parametrize("is_open", [False, True])
def test_a_job_waits_until_a_session_of_it_has_begun(is_open: bool) -> None:
    history = JobHistory(job_of("open do"))
    if is_open:
        history.opens()
    place = SessionLocation(waits=QUOTA)
    waits = status_of(history.job, 1, FRESH, place)
    (succeeded, *others) = document_of(waits)["conditions"]
    assert (succeeded["reason"], waits.reason) == ("Waiting", "FailedCreate")
    assert succeeded["message"].endswith("waits: FailedCreate: pods is forbidden: exceeded quota")
    assert {condition["reason"] for condition in others} == {"Waiting"}
    again = restored(job_of("open do"), waits, 1)
    assert again.state is history.job.state is JobState.RUNNING
    assert again.deadline == history.job.deadline
    if is_open:
        history.record_in_session(events.ScriptStarted, "open")
        runs = status_of(history.job, 1, waits)
        assert (runs.reason, runs.conditions and runs.conditions[0].reason) == (None, "Running")


def test_a_job_that_nobody_let_go_is_the_same_after_a_restart() -> None:
    job = job_of("open do")
    job.record(events.JobAdded(at=1))
    status = status_of(job, 1, FRESH)
    assert restored(job_of("open do"), status, 1).state is JobState.WAITING


def test_the_whole_message_stands_in_one_condition() -> None:
    history = JobHistory(job_of("open do"))
    history.fails("", Cause("ConfigError", "x" * 2000))
    succeeded, *others = document_of(status_of(history.job, 1, FRESH))["conditions"]
    assert len(succeeded["message"]) > 300
    assert {len(condition["message"]) for condition in others} == {120}


def test_who_cancelled_a_job_is_said_also_after_a_restart() -> None:
    history = JobHistory(job_of("open do"))
    history.opens()
    history.record(events.JobCancelled, by="ann", why="enough")
    first = status_of(history.job, 1, FRESH)
    job = restored(job_of("open do"), first, 1)
    job.record(events.SessionEnded(at=2000, run="s1-1"))
    second = status_of(job, 1, first)
    for status, finished in ((first, "False"), (second, "True")):
        assert {condition.message for condition in status.conditions or ()} == {
            "cancelled: enough; by ann"
        }
        assert {o.status for o in status.conditions or () if o.type == "Finished"} == {finished}


def test_a_deadline_that_stands_goes_on_where_it_stood_after_a_restart() -> None:
    history = JobHistory(job_of("open do", deadline=60))
    history.opens()
    history.record(events.JobSuspended)
    history.ends()
    stands_since = history.at
    status = status_of(history.job, 1, FRESH)
    again = restored(job_of("open do", deadline=60), status, 1)
    assert again.next(stands_since + 1000) == Wait()
    again.record(events.JobUnsuspended(at=stands_since + 1000))
    went = stands_since - (again.started_at or 0)
    last = restored(job_of("open do", deadline=60), status_of(again, 1, status), 1)
    opens_at = stands_since + 1500
    step = last.next(opens_at)
    assert isinstance(step, Open), "until its next session opens, no time counts"
    names = step.scripts
    last.record(
        events.SessionOpened(at=opens_at, run=step.run, session="s1", uid="u", scripts=names)
    )
    end = opens_at + 60 - went
    last = restored(job_of("open do", deadline=60), status_of(last, 1, status), 1)
    assert last.next(end - 1) == Wait(end)
    assert isinstance(last.next(end), Finish)


def test_a_job_says_that_it_waits_before_it_replaces_a_lost_session() -> None:
    evicted = Cause("Evicted", "its node was drained")
    history = JobHistory(job_of("open do", retry_lost=1, lost_backoff=10))
    history.opens()
    history.record_in_session(events.ScriptStarted, "open")
    history.record_for_script(events.ScriptInterrupted, "open", cause=evicted)
    history.ends(evicted)
    status = status_of(history.job, 1, FRESH)
    again = restored(job_of("open do", retry_lost=1, lost_backoff=10), status, 1)
    for job in (history.job, again):
        status = status_of(job, 1, status)
        condition = (status.conditions or [])[0]
        assert (condition.reason, status.reason) == ("Waiting", "Evicted")
        assert condition.message == (
            "the job waits: Evicted: session s1 was lost, and is replaced 10 s later: its node was "
            "drained"
        )
    history.opens()
    assert status_of(history.job, 1, status).reason is None


def test_what_an_earlier_release_wrote_of_a_suspended_job_does_not_fail_it() -> None:
    history = JobHistory(job_of("open do", deadline=60))
    history.opens()
    history.runs("open")
    ran_at = history.at
    history.record(events.JobSuspended)
    history.ends()
    document = document_of(status_of(history.job, 1, FRESH))
    del document["ledger"]["suspendTime"]
    again = restored(job_of("open do", deadline=60), EnsoJobStatus.model_validate(document), 1)
    assert again.next(ran_at + 1000) == Wait()
    again.record(events.JobUnsuspended(at=ran_at + 1000))
    assert isinstance(again.next(ran_at + 1001), Open)


def test_a_job_that_failed_under_an_earlier_release_is_resumed() -> None:
    """The status is one that 0.1 wrote: it knew neither actions nor definitions."""
    script = {"startTime": "2026-11-28T12:00:01Z", "completionTime": "2026-11-28T12:00:02Z"}
    status = EnsoJobStatus.model_validate(
        {
            "observedGeneration": 1,
            "conditions": [
                {
                    "type": kind,
                    "status": truth,
                    "reason": "Failed",
                    "message": "do failed: ValueError: 1",
                    "lastTransitionTime": "2026-11-28T12:00:03Z",
                }
                for kind, truth in (("Succeeded", "False"), ("Finished", "True"))
            ],
            "startTime": "2026-11-28T12:00:00Z",
            "completionTime": "2026-11-28T12:00:03Z",
            "scripts": [
                {"name": "open", "state": "Succeeded", "attempt": 1, "done": True, **script},
                {
                    "name": "do",
                    "state": "Failed",
                    "attempt": 1,
                    "failures": 1,
                    "reason": "Exception",
                    "message": "1",
                    **script,
                },
                {"name": "save", "state": "NotStarted"},
            ],
            "failure": {"script": "do", "attempt": 1, "reason": "Exception", "message": "1"},
            "ledger": {
                "sessions": [{"name": "s1", "runs": 1}],
                "cursors": {"coordinator": 3, "s1-1": 5},
                "specDigest": "sha256:0",
            },
        }
    )
    job = restored(job_of("open do save"), status, 1)
    job.obey(Resume(action_id="uid/again"), 100)
    step = job.next(100)
    assert step == Open("s1-2", "s1", ("open", "do", "save"))
    again = restored(job_of("open do save"), status_of(job, 1, status), 1)
    assert (again.acted, again.resumes, again.next(100)) == (("uid/again",), 1, step)


def test_a_resource_that_makes_no_job_says_so_in_the_same_place() -> None:
    status = document_of(invalid_job_status("spec.scripts[open] has\nno work", 2, FRESH, 1000.5))
    assert status["conditions"][0]["message"] == "spec.scripts[open] has no work"
    assert status["conditions"][0]["reason"] == "Failed"
    assert status["reason"] == "InvalidJob"
    assert invalid_job_status(
        "spec.scripts[open] has\nno work", 2, EnsoJobStatus(**status), 2000
    ) == (EnsoJobStatus.model_validate(status))


@pytest.mark.parametrize("at", [math.nan, math.inf, -1e300, 1e300])
def test_a_session_cannot_break_its_job_by_what_it_writes(at: float) -> None:
    history = JobHistory(job_of("open do"))
    history.opens()
    history.at = at
    lies = Cause(
        "no word\n",
        "\ud800\x00" * 9999,
        "\ud800" * 9999,
        Frame("\n" * 9999, -(10**30), "\ud800", "x" * 9999),
        10**30,
        "!",
        ("\x1b" * 9999,) * 99,
        -1,
        "\u2028" * 9999,
    )
    history.runs("open", lies)
    history.at = 2000
    history.fails("open", lies)
    status = status_of(history.job, 1, FRESH)
    assert json.dumps(document_of(status), allow_nan=False).encode()
    assert EnsoJobStatus.model_validate(document_of(status)) == status


def test_a_long_line_is_cut() -> None:
    line = one_line("é\n" * 2000)
    assert len(line.encode()) <= 1024
    assert line.endswith("é …")


def test_only_what_differs_is_sent() -> None:
    before = {"a": 1, "b": {"c": 1, "d": 2}, "e": [1, 2], "f": {"g": 1}}
    after = {"a": 1, "b": {"c": 1, "d": 3}, "e": [1], "h": 1}
    assert merge_patch(before, after) == {"b": {"d": 3}, "e": [1], "f": None, "h": 1}
    assert merge_patch(after, after) == {}


def test_an_end_that_had_to_kill_something_is_a_warning() -> None:
    ended = events.SessionEnded(at=1, run="s1-1")
    assert not is_warning(ended)
    killed = replace(ended, killed=("process 4711: sleep 60", "thread upload"))
    assert is_warning(killed)
    assert killed.details() == (
        "s1-1: had to kill what its scripts left running: process 4711: sleep 60; thread upload"
    )


def test_when_a_run_ended_is_known_after_a_restart_while_a_retry_waits() -> None:
    history = JobHistory(job_of("simulate.retry1", backoff=3600, retry_lost=1))
    history.opens()
    history.runs("simulate", OUT_OF_MEMORY)
    assert again(history.job).run_ended_at is None  # it goes on
    history.ends()
    twin = again(history.job)
    assert twin.run_ended_at == history.job.run_ended_at
    assert twin.next(history.at) == history.job.next(history.at) == Wait(history.at + 3600)


def again(job: Job) -> Job:
    """Return the job as an operator restores it from what was written of it."""
    status = EnsoJobStatus.model_validate(document_of(status_of(job, 1, FRESH)))
    return restored(Job(job.id, job.scripts, job.sessions), status, 0)
