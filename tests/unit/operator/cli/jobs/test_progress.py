"""Progress, and what a job does, in `enso list` and `enso watch`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from enso_operator.cli.jobs import list as jobs_list
from enso_operator.cli.jobs import scripts
from enso_operator.cli.jobs.list import JobLine
from enso_operator.cli.jobs.table import Screen
from enso_operator.cli.jobs.watch import PROGRESS_SECONDS, ProgressLines

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def job(percent: float | None, message: str = "", state: str = "Running") -> dict[str, Any]:
    row: dict[str, Any] = {"name": "simulate", "state": state, "attempt": 1}
    told = {"progress": percent, "message": message}
    row |= {name: value for name, value in told.items() if value not in (None, "")}
    progress = {"progress": f"{percent:g}%"} if percent is not None else {}
    return {
        "metadata": {
            "name": "shot",
            "namespace": "shows",
            "creationTimestamp": "2026-01-01T11:59:00+00:00",
        },
        "spec": {"scripts": [{"name": "simulate"}]},
        "status": {"scripts": [row], "script": "simulate", "done": "0/1", **progress},
    }


def test_a_list_has_the_column_while_a_job_tells_progress() -> None:
    def listed(*documents: dict[str, Any]) -> list[list[str]]:
        jobs = [JobLine.of_document(document, NOW) for document in documents]
        lines = jobs_list.rendered(jobs, NOW, Screen(), everywhere=False)
        return [line.split() for line in lines]

    header, line = listed(job(42.5))
    assert header == ["NAME", "STATUS", "DONE", "SCRIPT", "PROGRESS", "REASON", "AGE"]
    assert line[-3:-1] == ["simulate", "42.5%"]
    assert "PROGRESS" not in listed(job(None, "only a text"))[0]


def test_a_watched_table_has_progress_and_what_the_script_does() -> None:
    header, line = scripts.rendered(job(7, "meshing"), NOW, Screen())
    assert header.split() == ["#", "SCRIPT", "STATE", "ATTEMPT", "PROGRESS", "MESSAGE"]
    assert line.split() == ["1", "simulate", "Running", "1", "7%", "meshing"]


def test_where_lines_are_printed_progress_is_one_now_and_then() -> None:
    lines = ProgressLines()
    assert lines.of(job(None), 100) == []
    assert lines.of(job(7, "meshing"), 100) == ["simulate: 7% meshing"]
    assert lines.of(job(8, "meshing"), 101) == []
    assert lines.of(job(9, "meshing"), 100 + PROGRESS_SECONDS) == ["simulate: 9% meshing"]
    assert lines.of(job(9, "meshing"), 100 + 3 * PROGRESS_SECONDS) == []
    failed = job(None, "it broke", state="Failed")
    assert lines.of(failed, 100 + 4 * PROGRESS_SECONDS) == []


def test_a_list_has_the_activity_of_a_job_beside_its_status() -> None:
    retries = job(None)
    retries["status"]["activity"] = "WaitingForRetry"
    header, line = jobs_list.rendered(
        [JobLine.of_document(retries, NOW)], NOW, Screen(), everywhere=False
    )
    assert header.split()[:4] == ["NAME", "STATUS", "ACTIVITY", "DONE"]
    assert line.split()[:4] == ["shot", "Waiting", "WaitingForRetry", "0/1"]
