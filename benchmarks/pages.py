"""What the pages cost: the list of many jobs, and a job that somebody looks at for an hour."""

from __future__ import annotations

from pathlib import Path

from benchmarks.table import line, show, timed
from enso_operator.http_api.port import JobSnapshot
from enso_operator.http_api.rows import JobRow, Rows
from enso_operator.http_api.web.live import event_of
from enso_operator.http_api.web.rendering import Templates
from enso_operator.http_api.web.static_files import StaticFiles
from enso_operator.http_api.web.views.job_list import PER_PAGE, job_list
from enso_operator.http_api.web.views.job_page import job_page
from enso_operator.http_api.web.views.parts import (
    Parts,
    changed,
    parts_of_job,
    parts_of_list,
)
from enso_operator.http_api.web.views.query import Query
from enso_operator.http_api.web.views.seen import Shown
from job_execution_framework.domain.script import LibraryScript, Script
from tests.support.job_story import Story

MANY = 10_000
SCRIPTS, SCRIPT_SECONDS = 100, 36.0
"""A job that runs for an hour."""


def measure(folder: Path) -> None:
    """Print the ratios."""
    del folder
    templates = Templates(StaticFiles())
    few, many = _rows(PER_PAGE), _rows(MANY)
    show(
        f"the list of {MANY:,} jobs / of {PER_PAGE}, to its first byte",
        lambda: timed(_list, many, templates),
        lambda: timed(_list, few, templates),
    )
    sent, whole, events = _bytes_of_an_hour(templates)
    line(f"MB sent to who looks at {SCRIPTS} scripts for an hour, in {events} events", [sent / 1e6])
    line("the same / the whole page with each event", [sent / whole])


def _rows(count: int) -> Rows:
    labels = {"show": "heron", "dept": "fx"}
    return Rows.of(
        JobRow(f"shot-{number}", "studio", number, "Running", "2/4", "simulate", labels=labels)
        for number in range(count)
    )


def _list(rows: Rows, templates: Templates) -> str:
    parts = parts_of_list(job_list(rows, Query()))
    shown = templates.part(parts["part-states"]) + templates.part(parts["part-table"])
    return shown + Shown(parts).seen


def _bytes_of_an_hour(templates: Templates) -> tuple[int, int, int]:
    """Return the bytes of all events of a job, those of whole pages instead, and their number."""
    scripts = [Script(f"cook-{number}", LibraryScript("cook")) for number in range(SCRIPTS)]
    story = Story.of(*scripts)
    story.opens("main-1", *(script.name for script in scripts))
    seen: Parts = {}
    sent = whole = events = 0
    for script in scripts:
        for step in (story.starts, story.ends):
            step(script.name)
            job = story.job
            snapshot = JobSnapshot(job.id, str(job.state), None, job)
            parts = parts_of_job(job_page(snapshot, story.at))
            sent += len(event_of(templates, Shown(parts), changed(seen, parts)))
            whole += len(event_of(templates, Shown(parts), changed({}, parts)))
            seen, events = parts, events + 1
            if step == story.starts:
                story.at += SCRIPT_SECONDS
    return sent, whole, events


if __name__ == "__main__":
    measure(Path())
