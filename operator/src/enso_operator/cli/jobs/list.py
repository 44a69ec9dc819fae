"""`enso list`: the jobs of a namespace or of all, newest first."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import compress

from enso_operator.api.document import Document
from enso_operator.cli.jobs import documents, output, times
from enso_operator.cli.jobs.table import Column, Screen, table
from enso_operator.kube.workstation.api_server import TABLE, ApiServer

SUCCEEDED = 0
_COLUMNS = (
    Column("NAMESPACE"),
    Column("NAME"),
    Column("STATUS"),
    Column("ACTIVITY"),
    Column("DONE"),
    Column("SCRIPT", 8),
    Column("PROGRESS", 8),
    Column("REASON", 8),
    Column("AGE"),
    Column("FINISHED"),
    Column("POD", 12),
)
_CELLS = ("Status", "Activity", "Done", "Script", "Progress", "Reason", "Finished", "Pod")
"""Columns of the API server's table, in the order of the fields of a `JobLine`."""


@dataclass(frozen=True)
class JobFilter:
    """The filters of `enso list`; without any, all jobs match."""

    is_failed: bool = False
    reason: str = ""
    selector: str = ""
    since: datetime | None = None
    """Those that ended since then, or have not ended."""

    def __bool__(self) -> bool:
        """Whether some jobs may be left out."""
        return self != JobFilter()

    def matches(self, job: JobLine, now: datetime) -> bool:
        """Whether a job matches; the API server filters by labels."""
        if self.is_failed and job.status != "Failed":
            return False
        if self.reason and job.reason.lower() != self.reason.lower():
            return False
        if self.since is None or not job.finished:
            return True
        return times.seconds_of_age(job.finished) <= (now - self.since).total_seconds()


@dataclass(frozen=True)
class JobLine:
    """One job, as its line shows it."""

    namespace: str
    name: str
    created: datetime
    status: str
    activity: str
    done: str
    script: str
    progress: str
    reason: str
    finished: str
    """How long ago it ended, as an age; empty while it has not."""
    pod: str

    @classmethod
    def of_row(cls, headers: list[str], row: Document) -> JobLine:
        """Return the line for a row of the API server's table."""
        cells = dict(zip(headers, row["cells"], strict=False))
        status, *texts = (_text(cells.get(header)) for header in _CELLS)
        metadata = row["object"]["metadata"]
        return cls(
            str(metadata["namespace"]),
            str(metadata["name"]),
            datetime.fromisoformat(metadata["creationTimestamp"]),
            status or documents.WAITING,
            *texts,
        )

    @classmethod
    def of_document(cls, document: Document, now: datetime) -> JobLine:
        """Return the line for a whole EnsoJob."""
        metadata, status = document["metadata"], documents.status(document)
        ended = documents.time_of(status.get("completionTime"))
        return cls(
            str(metadata["namespace"]),
            str(metadata["name"]),
            datetime.fromisoformat(metadata["creationTimestamp"]),
            documents.state(document),
            str(status.get("activity") or ""),
            str(status.get("done") or ""),
            str(status.get("script") or ""),
            str(status.get("progress") or ""),
            str(status.get("reason") or ""),
            times.age((now - ended).total_seconds()) if ended else "",
            str(status.get("pod") or ""),
        )

    def cells(self, now: datetime) -> tuple[str, ...]:
        """Return what the columns show."""
        age = times.age((now - self.created).total_seconds())
        state = self.status, self.activity, self.done, self.script, self.progress, self.reason
        return (self.namespace, self.name, *state, age, self.finished, self.pod)


def filter_of(*, is_failed: bool, since: str, reason: str, selector: str) -> JobFilter:
    """Return the filter for these options. Raises InvalidTime."""
    now = datetime.now().astimezone()  # times without a time zone are local times
    return JobFilter(is_failed, reason, selector, times.since(since, now) if since else None)


def list_jobs(api: ApiServer, job_filter: JobFilter, *, everywhere: bool, form: str | None) -> int:
    """Print the jobs; return the exit code."""
    now = datetime.now(UTC)
    path = api.path("ensojobs", everywhere=everywhere)
    if form in output.WHOLE:
        items = whole_documents(api, path, job_filter, now)
        print(output.text({"apiVersion": "v1", "kind": "List", "items": items}, form))
        return SUCCEEDED
    jobs = find_jobs(api, job_filter, now, everywhere=everywhere)
    if form == "name":
        for job in jobs:
            print(f"ensojob.enso.dev/{job.name}")
    elif jobs:
        screen = Screen.of_output()
        lines = rendered(jobs, now, screen, everywhere=everywhere, is_wide=form == "wide")
        print("\n".join(lines))
        if hidden := hidden_columns(lines[0]):
            print(f"enso: {hidden} left out, as the terminal is too narrow", file=sys.stderr)
    else:
        print(
            nothing_found(job_filter, "" if everywhere else api.access.namespace), file=sys.stderr
        )
    return SUCCEEDED


def find_jobs(
    api: ApiServer, job_filter: JobFilter, now: datetime, *, everywhere: bool = False
) -> list[JobLine]:
    """Return the jobs that match, the newest first."""
    path = api.path("ensojobs", everywhere=everywhere)
    return newest_first(
        job
        for page in api.pages(path, _query(job_filter), accept=TABLE)
        for job in lines_of(page)
        if job_filter.matches(job, now)
    )


def lines_of(page: Document) -> Iterator[JobLine]:
    """Yield the jobs of one page of a table."""
    headers = [str(column["name"]) for column in page["columnDefinitions"] or ()]
    for row in page["rows"] or ():
        yield JobLine.of_row(headers, row)


def newest_first(jobs: Iterator[JobLine]) -> list[JobLine]:
    """Return the jobs in the order in which they are shown; those of one second by name."""
    return sorted(jobs, key=lambda job: (-job.created.timestamp(), job.namespace, job.name))


def rendered(
    jobs: list[JobLine], now: datetime, screen: Screen, *, everywhere: bool, is_wide: bool = False
) -> list[str]:
    """Return the lines of the table; ACTIVITY and PROGRESS are there while a job has any."""
    first, last = 0 if everywhere else 1, len(_COLUMNS) if is_wide else -2
    has_any = {
        "ACTIVITY": any(job.activity for job in jobs),
        "PROGRESS": any(job.progress for job in jobs),
    }
    kept = [has_any.get(column.header, True) for column in _COLUMNS[first:last]]
    rows = [[*compress(job.cells(now)[first:last], kept)] for job in jobs]
    return table([*compress(_COLUMNS[first:last], kept)], rows, screen)


def hidden_columns(header: str) -> str:
    """Return the important columns that are not shown because the terminal is too narrow."""
    return " and ".join(name for name in ("SCRIPT", "REASON") if name not in header.split())


def nothing_found(job_filter: JobFilter, namespace: str) -> str:
    """Return the sentence for an empty list."""
    what = "no jobs like these" if job_filter else "no jobs"
    if not namespace:
        return f"enso: {what} in this cluster"
    return f"enso: {what} in namespace {namespace}; -A looks into all namespaces"


def whole_documents(
    api: ApiServer, path: str, job_filter: JobFilter, now: datetime
) -> list[Document]:
    """Return the EnsoJobs as the API server has them."""
    pairs = [
        (JobLine.of_document(document, now), documents.for_output(document))
        for page in api.pages(path, _query(job_filter))
        for document in page["items"] or ()
    ]
    kept = [(job, document) for job, document in pairs if job_filter.matches(job, now)]
    order = {id(job): number for number, job in enumerate(newest_first(job for job, _ in kept))}
    return [document for _, document in sorted(kept, key=lambda pair: order[id(pair[0])])]


def _query(job_filter: JobFilter) -> dict[str, str]:
    return {"labelSelector": job_filter.selector} if job_filter.selector else {}


def _text(cell: object) -> str:
    text = "" if cell is None else str(cell)
    return "" if text in ("<none>", "<unknown>", "<invalid>") else text
