"""Where the output of an attempt is kept, and how the failure card names it."""

from __future__ import annotations

import pytest

from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.failure_card import failure_card
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.output_file import latest_output, output_file
from job_execution_framework.domain.script import Script, Session, Source
from tests.support.job_history import JobHistory

BROKE = Cause(Reason.EXCEPTION, "no", error="ValueError")


def failed(directory: str, lost: str = "") -> Job:
    """Return a job whose second script failed."""
    scripts = tuple(Script(name, Source("x"), session="s1") for name in ("open", "save"))
    session = Session("s1", output_directory=directory)
    history = JobHistory(Job("publish-shot", scripts, (session,)))
    history.opens()
    history.runs("open")
    history.record_in_session(events.ScriptStarted, "save")
    history.record_in_session(events.ScriptFailed, "save", cause=BROKE, output_lost=lost)
    history.fails("save", BROKE)
    return history.job


def lines(job: Job) -> list[str]:
    card = failure_card(job)
    assert card
    return [line for line in card.why if line.startswith("output")]


def test_the_card_names_the_file_of_the_attempt_that_failed() -> None:
    job = failed("/logs/enso")
    assert latest_output(job, "save") == "/logs/enso/publish-shot/02-save.1.log"
    assert lines(job) == ["output  /logs/enso/publish-shot/02-save.1.log"]


def test_the_card_says_why_there_is_no_such_file() -> None:
    why = "/logs/publish-shot/02-save.1.log: No space left on device"
    assert lines(failed("/logs", lost=why)) == [f"output  not kept: {why}"]


def test_without_a_directory_the_card_names_none() -> None:
    job = failed("")
    assert latest_output(job, "save") == ""
    assert lines(job) == []


@pytest.mark.parametrize(
    ("job", "folder"),
    [("shot", "shot"), ("a/../b", "a____b"), ("..", "__"), ("shot 1", "shot_1")],
)
def test_no_name_of_a_job_leaves_the_directory(job: str, folder: str) -> None:
    assert output_file("/logs/", job, 3, "save", 12) == f"/logs/{folder}/03-save.12.log"
