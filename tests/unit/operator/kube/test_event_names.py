"""Names of Kubernetes Events sort as things happened, whoever commits what, and when."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from enso_operator.api.status import EnsoJobStatus
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.kube.event_names import name_of, name_of_note
from enso_operator.kube.status.size import document_of
from enso_operator.kube.status.write import status_of
from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Cause
from tests.support.job_history import JobHistory
from tests.support.jobs import job_of

LATE = Cause("DeadlineExceeded", "the job took longer than its 5 s")
LOST = Cause("SessionLost", "its Pod is gone")


class Told:
    """A job whose events are named, and then committed."""

    def __init__(self) -> None:
        self.history = JobHistory(job_of("open do ; publish"))
        self.ensojob, self.named, self.names = self.with_status(EnsoJobStatus()), 0, list[str]()

    def with_status(self, status: EnsoJobStatus) -> EnsoJobObject:
        metadata = {"name": "shot", "namespace": "shows", "uid": "4711"}
        return EnsoJobObject({"metadata": metadata, "status": document_of(status)})

    def name(self) -> None:
        job = self.history.job
        for event in job.events[self.named :]:
            self.names.append(name_of(self.ensojob, job, event, job.resumes))
        self.named = len(job.events)

    def commit(self) -> None:
        self.name()
        self.ensojob = self.with_status(status_of(self.history.job, 1, EnsoJobStatus()))

    def report_blocked(self, why: str) -> None:
        self.names.append(name_of_note(self.ensojob, self.history.job, "NotGoingOn", why))

    def assert_in_order(self) -> None:
        assert self.names == sorted(self.names)
        assert len(self.names) == len({*self.names})


def begin(told: Told) -> None:
    told.commit()
    told.report_blocked("exceeded quota")
    told.history.opens("s1")
    told.commit()
    told.report_blocked("has not begun")
    told.history.runs("open")
    told.commit()
    told.history.record_in_session(events.ScriptStarted, "do")
    told.commit()


def ends_late(told: Told) -> None:
    told.history.fails("", LATE)


def is_cancelled(told: Told) -> None:
    told.history.record(events.JobCancelled)


@pytest.mark.parametrize("end", [ends_late, is_cancelled])
def test_a_job_that_is_ended_while_it_runs(end: Callable[[Told], None]) -> None:
    told = Told()
    begin(told)
    end(told)
    told.commit()
    told.report_blocked("it cannot be told")
    told.history.record_in_session(events.ScriptFailed, "do", cause=LOST)
    told.history.record(events.SessionEnded, run="s1-1", cause=LOST)
    told.commit()
    told.assert_in_order()


def test_a_job_that_is_suspended_again_and_again() -> None:
    told = Told()
    begin(told)
    told.history.record(events.JobSuspended)
    told.commit()
    told.history.record_in_session(events.ScriptSucceeded, "do")
    told.history.ends()
    told.commit()
    for kind in (events.JobUnsuspended, events.JobSuspended, events.JobUnsuspended):
        told.history.record(kind)
        told.commit()
    told.history.opens("s2")
    told.history.runs("publish")
    told.history.ends()
    told.history.record(events.JobSucceeded)
    told.commit()
    told.assert_in_order()


def test_whoever_decides_it_again_before_it_was_committed_finds_the_name() -> None:
    told = Told()
    begin(told)
    is_cancelled(told)
    told.name()
    other = Told()
    begin(other)
    other.history.at += 100
    is_cancelled(other)
    other.name()
    assert told.names[-1] == other.names[-1]
