"""`enso watch`: a table that is updated on a terminal; elsewhere one line for each change."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from enso_operator.api.document import Document
from enso_operator.cli.jobs import documents, follow, scripts
from enso_operator.cli.jobs.list import JobLine, newest_first, rendered
from enso_operator.cli.jobs.live import Live
from enso_operator.cli.jobs.table import Screen
from enso_operator.cli.jobs.undecided import has_ended
from enso_operator.cli.jobs.wait import code_of, how_it_ended, job_in, of_job
from enso_operator.cli.jobs.why import card_of
from enso_operator.kube.workstation.api_server import TABLE, ApiServer

PROGRESS_SECONDS = 10.0
"""How often progress is a line, where standard output is no terminal."""
UPDATE_SECONDS = 1.0
"""How often the ages in a table on a terminal are updated."""


def watch_job(api: ApiServer, name: str) -> int:
    """Show one job until it has ended; return the exit code of `enso wait`."""
    jobs, live, progress = of_job(api, name), Live(), ProgressLines()
    job: Document = {}

    def draw() -> None:
        if job and live.is_terminal:
            lines, focus = scripts.lines_and_focus(job, datetime.now(UTC), live.screen())
            live.draw(lines, focus, scripts.headline(job, Screen()))

    def tell(problem: str) -> None:
        live.show_problem(problem)
        draw()

    while not (job and has_ended(api, job, tell)):
        event = jobs.next(UPDATE_SECONDS if live.is_terminal else None)
        if isinstance(event, follow.Disconnected):
            live.show_problem(event.sentence)
        elif event:
            live.clear_problem()
            before, job = job, job_in(event, job, api, name)
            live.print_lines([*changes(before, job), *progress.of(job, time.monotonic())])
        draw()
    live.end(scripts.rendered(job, datetime.now(UTC), Screen.of_output()))
    print("\n".join([how_it_ended(job), *(f"  {line}" for line in card_of(job))]), flush=True)
    return code_of(job)


def changes(before: Document, job: Document) -> list[str]:
    """Return a line for each script whose state changed, and one for the job."""
    rows_by_name = {row["name"]: row for row in scripts.rows(before)} if before else {}
    rows = scripts.rows(job)
    lines: list[str] = []
    for place, row in zip(scripts.places(rows), rows, strict=True):
        state, attempt = row["state"], row.get("attempt")
        old = rows_by_name.get(row["name"], {"state": "NotStarted"})
        if (state, attempt or 0) == (old["state"], old.get("attempt") or 0):
            continue
        why = ": ".join(filter(None, [row.get("reason"), row.get("message")]))
        line = f"{row['name']} ({place}): {state}, attempt {attempt}"
        lines.append(f"{line}; {why}" if why else line)
    is_new = scripts.headline(job, Screen()) != (before and scripts.headline(before, Screen()))
    if is_new and not documents.is_finished(job):
        lines.append(scripts.headline(job, Screen()))
    return lines


class ProgressLines:
    """The progress of a job's script as lines, now and then."""

    def __init__(self) -> None:
        self._shown, self._next_at = "", 0.0

    def of(self, job: Document, now: float) -> list[str]:
        """Return a line if the script has told something new and it is time to show it."""
        running = (row for row in scripts.rows(job) if row["state"] == "Running")
        row = next(running, Document())
        percent = f"{row['progress']:g}%" if "progress" in row else ""
        said = " ".join(filter(None, [percent, row.get("message")]))
        if not said or said == self._shown or now < self._next_at:
            return []
        self._shown, self._next_at = said, now + PROGRESS_SECONDS
        return [f"{row['name']}: {said}"]


def watch_jobs(api: ApiServer, selector: str, *, everywhere: bool) -> int:
    """Show the jobs of a namespace, or of all, until the user stops it."""
    live, follower = Live(), follow.Follower(api)
    query = {"labelSelector": selector} if selector else {}
    follower.follow(api.path("ensojobs", everywhere=everywhere), query, accept=TABLE)
    jobs = JobTable(everywhere)
    while True:
        event = follower.next(UPDATE_SECONDS if live.is_terminal else None)
        if isinstance(event, follow.Disconnected):
            live.show_problem(event.sentence)
        elif event:
            live.clear_problem()
            live.print_lines(jobs.update(event))
        if live.is_terminal:
            screen = live.screen()
            live.draw(*jobs.lines_and_focus(datetime.now(UTC), screen))


class JobTable:
    """The watched jobs, as lines of a table."""

    def __init__(self, everywhere: bool) -> None:  # noqa: FBT001  # the only call passes it alone
        self._everywhere = everywhere
        self._headers: list[str] = []
        self._jobs: dict[tuple[str, str], JobLine] = {}

    def update(self, event: follow.WatchEvent) -> list[str]:
        """Update the jobs from an event; return a line for each job whose shown cells changed."""
        if isinstance(event, follow.FullList):
            before, self._jobs = self._jobs, {}
            lines = [line for page in event.pages for line in self._rows(page, before)]
            deleted = [job for key, job in before.items() if key not in self._jobs]
            return lines + [f"{self._name(job)}  deleted" for job in deleted]
        if isinstance(event, follow.Changed):
            return self._rows(event.document, self._jobs)
        if isinstance(event, follow.Deleted):
            return [f"{self._name(job)}  deleted" for job in self._removed(event.document)]
        return []

    def lines_and_focus(self, now: datetime, screen: Screen) -> tuple[list[str], int]:
        """Return the lines of the table, and the number of the line of the newest job."""
        jobs = newest_first(iter(self._jobs.values()))
        return rendered(jobs, now, screen, everywhere=self._everywhere), 1

    def _rows(self, table: Document, before: dict[tuple[str, str], JobLine]) -> list[str]:
        self._headers = [
            str(column["name"]) for column in table.get("columnDefinitions") or ()
        ] or self._headers  # only the first table of a watch has them
        lines: list[str] = []
        for row in table["rows"] or ():
            job = JobLine.of_row(self._headers, row)
            key = job.namespace, job.name
            old, self._jobs[key] = before.get(key), job
            if old is None and job.finished:
                continue  # it had ended before this watch started
            if old is None or shown_cells(old) != shown_cells(job):
                lines.append("  ".join(filter(None, [self._name(job), *shown_cells(job)])))
        return lines

    def _removed(self, table: Document) -> list[JobLine]:
        rows = [JobLine.of_row(self._headers, row) for row in table["rows"] or ()]
        return [job for job in rows if self._jobs.pop((job.namespace, job.name), None)]

    def _name(self, job: JobLine) -> str:
        return f"{job.namespace}/{job.name}" if self._everywhere else job.name


def shown_cells(job: JobLine) -> tuple[str, ...]:
    """Return the cells whose changes are shown."""
    return job.status, job.activity, job.done, job.script, job.reason
