"""The menu of reasons above the list of jobs: what it has, and that it changes with the list."""

from __future__ import annotations

from enso_operator.http_api.rows import JobRow, Rows
from enso_operator.http_api.web.views.job_list import job_list
from enso_operator.http_api.web.views.parts import changed, parts_of_list
from enso_operator.http_api.web.views.query import Query

BROKEN = JobRow("a", "", 1, "Failed", reason="Exception", error="ValueError")
LATE = JobRow("b", "", 2, "Failed", reason="Timeout")


def menu(rows: list[JobRow], reason: str = "") -> list[tuple[str, int, bool]]:
    shown = job_list(Rows.of(rows), Query(reason=reason))
    return [(choice.name, choice.count, choice.is_chosen) for choice in shown.reasons]


def test_it_has_reasons_and_types_of_exceptions() -> None:
    rows = [BROKEN, LATE, JobRow("c", "", 3, "Running")]
    assert menu(rows) == [("Timeout", 1, False), ("Exception", 1, False), ("ValueError", 1, False)]


def test_what_is_chosen_stays_in_it_where_no_job_has_it() -> None:
    assert menu([LATE], "Exception") == [("Timeout", 1, False), ("Exception", 0, True)]
    assert menu([]) == []


def test_it_is_sent_when_it_has_changed() -> None:
    before = parts_of_list(job_list(Rows.of([LATE]), Query()))
    after = parts_of_list(job_list(Rows.of([LATE, BROKEN]), Query()))
    assert "part-reasons" in changed(before, after)
    running = JobRow("c", "", 3, "Running")
    assert "part-reasons" not in changed(
        after, parts_of_list(job_list(Rows.of([LATE, BROKEN, running]), Query()))
    )
