"""What the list says of a job between two states, and at which script it ended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from enso_operator.http_api.cluster_rows import RowReader
from enso_operator.http_api.memory_rows import row_of
from enso_operator.http_api.rows import JobRow, Rows
from enso_operator.http_api.web.views.job_list import job_list
from enso_operator.http_api.web.views.query import Query
from enso_operator.kube.status import columns
from job_execution_framework.domain.actions import Cancel, Pause, Resume
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.progress import Progress
from job_execution_framework.domain.retries import Retries
from job_execution_framework.domain.script import LibraryScript, Script, When
from tests.support.job_story import Story
from tests.unit.operator.kube.status.test_simulation import through_status

BROKE = Cause("OutOfMemory", "it used more than 4 GiB")
STOPPED = Cause(Reason.CANCELLED, "it was ended, because the job was cancelled")


def _story(**fields: object) -> Story:
    open_ = Script("open", LibraryScript("open"))
    simulate = replace(open_, name="simulate", **fields)  # type: ignore[arg-type]  # of the test
    cleanup = replace(open_, name="cleanup", session="finally", when=When.ALWAYS)
    story = Story.of(open_, simulate, cleanup)
    story.opens("main-1", "open", "simulate")
    story.succeeds("open")
    return story


def _shown(story: Story) -> tuple[str, str]:
    """Return what the line of the job says beside its state, and of which script."""
    (line,) = job_list(Rows.of([row_of(story.job)]), Query()).lines
    return line.finer, line.row.script


def test_a_job_that_cleans_up_names_the_script_at_which_it_failed() -> None:
    story = _story()
    story.fails("simulate", BROKE)
    story.job_fails("simulate", BROKE)
    story.opens("finally-1", "cleanup")
    story.starts("cleanup")
    story.job.progress = Progress("cleanup", 1, 40.0, "")
    assert _shown(story) == ("Cleaning up", "simulate")
    row = row_of(story.job)
    assert (row.reason, row.progress) == ("OutOfMemory", "")
    assert columns.current_script(through_status(story.job)) == "simulate"
    story.ends("cleanup")
    story.closes()
    assert _shown(story) == ("", "simulate")


def test_a_job_that_was_cancelled_is_found_by_the_script_that_was_stopped() -> None:
    story = _story()
    story.starts("simulate")
    story.job.progress = Progress("simulate", 1, 47.5, "")
    story.job.obey(Cancel(), story.at)
    assert _shown(story) == ("Cancelling", "simulate")
    assert row_of(story.job).progress == "47.5%"
    story.breaks("simulate", STOPPED)
    assert _shown(story) == ("Cleaning up", "simulate")
    story.closes()
    story.opens("finally-1", "cleanup")
    story.succeeds("cleanup")
    story.closes()
    assert _shown(story) == ("", "simulate")
    assert Query(text="simulate").takes(row_of(story.job))
    assert columns.current_script(through_status(story.job)) == "simulate"
    story.job.obey(Resume(), story.at)
    assert _shown(story) == ("Waiting to start", "")


def test_a_job_that_was_cancelled_while_nothing_ran_is_at_the_script_that_it_waited_for() -> None:
    story = _story(retries=Retries(limit=2, backoff_seconds=40))
    story.fails("simulate", BROKE)
    assert _shown(story) == ("Waiting for retry", "simulate")
    story.job.obey(Cancel(without_finally=True), story.at)
    assert _shown(story) == ("", "simulate")


def test_a_job_that_was_cancelled_before_a_script_began_is_at_none() -> None:
    story = _story()
    story.job.obey(Cancel(without_finally=True), story.at)
    assert _shown(story) == ("", "")


def test_a_pause_is_told_where_the_reason_does_not_say_it() -> None:
    story = _story()
    story.starts("simulate")
    story.job.obey(Pause(), story.at)
    assert _shown(story) == ("Pausing", "simulate")
    assert row_of(story.job).reason == ""
    story.ends("simulate")
    assert _shown(story) == ("", "")
    assert row_of(story.job).reason == "Paused"


def test_a_job_whose_session_begins_says_that_it_waits_to_start() -> None:
    story = Story.of(Script("open", LibraryScript("open")))
    assert (row_of(story.job).state, row_of(story.job).finer) == ("Running", "Waiting to start")
    story.opens("main-1", "open")
    story.starts("open")
    assert row_of(story.job).finer == ""


@pytest.mark.parametrize(
    ("cells", "shown"),
    [
        (("Suspended", "Pausing", "1/2"), ("", "Pausing")),
        (("Suspended", None, "1/2"), ("", "")),
        (("Failed", "CleaningUp", "1/2"), ("", "Cleaning up")),
        (("Running", "WaitingForRetry", "1/2"), ("", "Waiting for retry")),
        (("Waiting", "WaitingForRetry", "1/2"), ("Waiting for retry", "")),
        (("Waiting", None, "0/2"), ("Waiting to start", "")),
        (("", None, ""), ("", "")),  # no operator has seen it
    ],
)
def test_a_row_of_a_cluster_says_what_its_columns_tell(
    cells: tuple[str | None, ...], shown: tuple[str, str]
) -> None:
    metadata = {
        "name": "shot",
        "namespace": "fx",
        "creationTimestamp": "2026-11-29T22:41:07Z",
    }
    table = {
        "columnDefinitions": [{"name": name} for name in ("Status", "Activity", "Done")],
        "rows": [{"cells": cells, "object": {"metadata": metadata}}],
    }
    (line,) = job_list(Rows.of(RowReader().rows_of(table)), Query()).lines
    assert (line.word, line.finer) == shown


def test_it_is_told_behind_the_state_by_which_the_list_is_filtered() -> None:
    rows = Rows.of([JobRow("shot", "", 0, "Suspended", finer="Pausing")])
    shown = job_list(rows, Query(state="Suspended"))
    assert [line.finer for line in shown.lines] == ["Pausing"]
    assert [choice.name for choice in shown.states] == ["", "Suspended"]
