"""Which jobs `enso list` shows, and in which order. The API server's part is in tests/cluster."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from enso_operator.cli.jobs.list import (
    JobFilter,
    JobLine,
    hidden_columns,
    lines_of,
    newest_first,
    nothing_found,
    rendered,
)
from enso_operator.cli.jobs.table import Screen
from tests.support.resources import of_scripts
from tests.support.statuses import FAILED_JOB

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
HEADERS = ("Name", "Status", "Done", "Script", "Reason", "Age", "Finished", "Pod")


def page(*cells: tuple[object, ...], created: str = "2026-11-24T03:00:00Z") -> dict[str, Any]:
    """A part of a table, as the API server gives it."""
    return {
        "columnDefinitions": [{"name": header} for header in HEADERS],
        "rows": [
            {
                "cells": list(row),
                "object": {
                    "metadata": {
                        "name": row[0],
                        "namespace": "shows",
                        "creationTimestamp": created,
                    }
                },
            }
            for row in cells
        ],
    }


FAILED = ("shot", "Failed", "1/4", "simulate", "OutOfMemory", "60m", "51m", "shot-houdini-1-x")
FRESH = ("fresh", None, None, None, None, "1s", "<unknown>", None)


def test_a_line_says_how_the_job_stands() -> None:
    (job,) = lines_of(page(FAILED))
    header, line = rendered([job], NOW, Screen(), everywhere=False)
    assert header.split() == ["NAME", "STATUS", "DONE", "SCRIPT", "REASON", "AGE"]
    assert line.split() == ["shot", "Failed", "1/4", "simulate", "OutOfMemory", "60m"]
    _, line = rendered([job], NOW, Screen(), everywhere=True, is_wide=True)
    assert line.split() == ["shows", *FAILED]


def test_a_job_that_no_operator_has_seen_waits() -> None:
    (job,) = lines_of(page(FRESH))
    assert (job.status, job.reason, job.finished) == ("Waiting", "", "")


def test_a_page_without_jobs_has_no_lines() -> None:
    assert [*lines_of({"columnDefinitions": None, "rows": None})] == []


def test_the_newest_is_first_and_of_one_second_the_first_name() -> None:
    later = page(FRESH, created="2026-11-24T03:00:01Z")
    jobs = [*lines_of(page(FAILED, ("a", *FAILED[1:]))), *lines_of(later)]
    assert [job.name for job in newest_first(iter(jobs))] == ["fresh", "a", "shot"]


def test_filters() -> None:
    failed, fresh = [*lines_of(page(FAILED, FRESH))]
    for job_filter, expected in (
        (JobFilter(), (True, True)),
        (JobFilter(is_failed=True), (True, False)),
        (JobFilter(reason="outofmemory"), (True, False)),
        (JobFilter(reason="Timeout"), (False, False)),
        (JobFilter(since=NOW - timedelta(minutes=50)), (False, True)),
        (JobFilter(since=NOW - timedelta(minutes=52)), (True, True)),
    ):
        assert (job_filter.matches(failed, NOW), job_filter.matches(fresh, NOW)) == expected, (
            job_filter
        )


def test_a_whole_document_says_the_same_as_its_row() -> None:
    document = of_scripts({}) | {"status": FAILED_JOB}
    document["metadata"] |= {"namespace": "shows", "creationTimestamp": "2026-11-24T02:00:00Z"}
    job = JobLine.of_document(document, NOW)
    told = (job.name, job.status, job.done, job.script, job.reason, job.finished)
    assert told == ("shot", "Failed", "1/4", "simulate", "OutOfMemory", "119m")


def test_it_is_said_what_a_narrow_terminal_leaves_out() -> None:
    (job,) = lines_of(page(("n" * 52, *FAILED[1:])))
    header, _ = rendered([job], NOW, Screen(80), everywhere=False)
    assert hidden_columns(header) == "SCRIPT and REASON"
    assert hidden_columns("NAME STATUS DONE SCRIPT REASON AGE") == ""


def test_a_list_without_jobs_says_where_to_look() -> None:
    assert "no jobs in namespace shows; -A looks into all" in nothing_found(JobFilter(), "shows")
    assert "no jobs like these in namespace" in nothing_found(JobFilter(is_failed=True), "shows")
    assert nothing_found(JobFilter(), "") == "enso: no jobs in this cluster"
