"""`enso watch`: a table that lives on a terminal; elsewhere one line for each change."""

from __future__ import annotations

from datetime import UTC, datetime

from enso_operator.api.document import Document
from enso_operator.cli.jobs import documents, follow, scripts
from enso_operator.cli.jobs.list import JobLine, newest_first, rendered
from enso_operator.cli.jobs.live import Live
from enso_operator.cli.jobs.table import Screen
from enso_operator.cli.jobs.wait import code_of, how_it_ended, job_in, of_job
from enso_operator.cli.jobs.why import card_of
from enso_operator.kube.workstation.api_server import TABLE, ApiServer

LOOK_SECONDS = 1.0
"""How often a live table shows how time goes by."""


def watch_job(api: ApiServer, name: str) -> int:
    """Show one job until it has ended; return the exit code of `enso wait`."""
    jobs, live = of_job(api, name), Live()
    job: Document = {}
    while not (job and documents.is_finished(job)):
        seen = jobs.next(LOOK_SECONDS if live.is_on else None)
        if isinstance(seen, follow.Away):
            live.trouble(seen.sentence)
        elif seen:
            live.all_is_well()
            before, job = job, job_in(seen, job, api, name)
            live.tell(changes(before, job))
        if job and live.is_on:
            now = datetime.now(UTC)
            lines, focus = scripts.window(job, now, live.screen())
            live.draw(lines, focus, scripts.headline(job, Screen()))
    live.end(scripts.rendered(job, datetime.now(UTC), Screen.of_output()))
    print("\n".join([how_it_ended(job), *(f"  {line}" for line in card_of(job))]), flush=True)
    return code_of(job)


def changes(before: Document, job: Document) -> list[str]:
    """Return a line for each script that is another than it was, and one for the job."""
    known = {row["name"]: row for row in scripts.rows(before)} if before else {}
    rows = scripts.rows(job)
    lines: list[str] = []
    for number, row in enumerate(rows, start=1):
        state, attempt = row["state"], row.get("attempt")
        old = known.get(row["name"], {"state": "NotStarted"})
        if (state, attempt or 0) == (old["state"], old.get("attempt") or 0):
            continue
        why = ": ".join(filter(None, [row.get("reason"), row.get("message")]))
        line = f"{row['name']} ({number} of {len(rows)}): {state}, attempt {attempt}"
        lines.append(f"{line}; {why}" if why else line)
    is_new = scripts.headline(job, Screen()) != (before and scripts.headline(before, Screen()))
    if is_new and not documents.is_finished(job):
        lines.append(scripts.headline(job, Screen()))
    return lines


def watch_jobs(api: ApiServer, selector: str, *, everywhere: bool) -> int:
    """Show the jobs of a namespace, or of all, until somebody ends it."""
    live, follower = Live(), follow.Follower(api)
    query = {"labelSelector": selector} if selector else {}
    follower.follow(api.path("ensojobs", everywhere=everywhere), query, accept=TABLE)
    jobs = Jobs(everywhere)
    while True:
        seen = follower.next(LOOK_SECONDS if live.is_on else None)
        if isinstance(seen, follow.Away):
            live.trouble(seen.sentence)
        elif seen:
            live.all_is_well()
            live.tell(jobs.take(seen))
        if live.is_on:
            screen = live.screen()
            live.draw(*jobs.window(datetime.now(UTC), screen))


class Jobs:
    """The jobs that are watched, as their lines show them."""

    def __init__(self, everywhere: bool) -> None:  # noqa: FBT001  # it is said by name in the only call
        self._everywhere = everywhere
        self._headers: list[str] = []
        self._jobs: dict[tuple[str, str], JobLine] = {}

    def take(self, seen: follow.Seen) -> list[str]:
        """Take what was seen; return a line for each job that is another than it was."""
        if isinstance(seen, follow.All):
            before, self._jobs = self._jobs, {}
            lines = [line for page in seen.pages for line in self._rows(page, before)]
            gone = [job for key, job in before.items() if key not in self._jobs]
            return lines + [f"{self._name(job)}  deleted" for job in gone]
        if isinstance(seen, follow.Changed):
            return self._rows(seen.document, self._jobs)
        if isinstance(seen, follow.Deleted):
            return [f"{self._name(job)}  deleted" for job in self._removed(seen.document)]
        return []

    def window(self, now: datetime, screen: Screen) -> tuple[list[str], int]:
        """Return the lines of the table, and the one that matters most: the newest job."""
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
                continue  # it ended before anybody watched
            if old is None or shown_cells(old) != shown_cells(job):
                lines.append("  ".join(filter(None, [self._name(job), *shown_cells(job)])))
        return lines

    def _removed(self, table: Document) -> list[JobLine]:
        rows = [JobLine.of_row(self._headers, row) for row in table["rows"] or ()]
        return [job for job in rows if self._jobs.pop((job.namespace, job.name), None)]

    def _name(self, job: JobLine) -> str:
        return f"{job.namespace}/{job.name}" if self._everywhere else job.name


def shown_cells(job: JobLine) -> tuple[str, ...]:
    """Return what a line tells when a job changes."""
    return job.status, job.done, job.script, job.reason
