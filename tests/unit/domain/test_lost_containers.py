"""A container script whose Pod was lost: it is in doubt, and started again only if it may be."""

from __future__ import annotations

from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import Container, Script
from job_execution_framework.domain.steps import Finish, Open, Wait
from tests.support.job_history import JobHistory

EVICTED = Cause(Reason.EVICTED, "the node is drained")


def lost(retry_lost: int, backoff: float = 0) -> JobHistory:
    """Return the history of a job whose container began and was lost."""
    work = Container("curl", retry_lost=retry_lost, lost_backoff_seconds=backoff)
    history = JobHistory(Job("job", (Script("tell", work),)))
    lose(history)
    return history


def lose(history: JobHistory) -> None:
    history.opens("tell")
    history.record_in_session(events.ScriptStarted, "tell")
    history.record_for_script(events.ScriptInterrupted, "tell", cause=EVICTED)
    history.ends(EVICTED)


def test_without_a_word_it_ends_the_job() -> None:
    history = lost(0)
    assert history.job.next(history.at) == Finish(EVICTED, "tell")


def test_with_one_it_is_started_again_after_its_pause_in_a_run_of_its_own() -> None:
    history = lost(1, backoff=10)
    assert history.job.next(history.at) == Wait(history.at + 10)
    assert history.job.next(history.at + 10) == Open("tell-2", "tell", ("tell",))


def test_no_more_often_than_it_may() -> None:
    history = lost(1)
    lose(history)
    assert history.job.rows["tell"].attempt == 2
    assert history.job.next(history.at) == Finish(EVICTED, "tell")
