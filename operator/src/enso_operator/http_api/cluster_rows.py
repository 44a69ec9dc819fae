"""The jobs of a cluster as rows, from the API server's table, kept for a moment.

A table has the columns of the CRD and of each job only its metadata: ten thousand small failed
jobs were 19 MB, a third of a plain list, and were read in half of its time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from sys import intern

from enso_operator.api.document import Document
from enso_operator.http_api.rows import MOST_ROWS, JobRow, Rows
from enso_operator.kube.objects import Objects
from enso_operator.kube.status.finer_states import STARTS, word_of
from job_execution_framework.domain.transitions import JobState

KEPT_SECONDS = 1.0
"""How old rows may be that are shown again: many who look at once cost one list."""
_NOTHING = ("", "<none>", "<unknown>", "<invalid>")
"""How the API server writes a column that has no value."""


@dataclass(frozen=True)
class Listing:
    """A list of jobs, from which a watch may go on."""

    rows: list[JobRow]
    is_complete: bool
    """Whether these are all jobs."""
    version: str
    """The resourceVersion of the list."""
    reader: RowReader
    """Reads the tables that a watch brings."""


def read_listing(jobs: Objects) -> Listing:
    """Return the rows of all jobs, or of as many as a list may have."""
    reader, found, version = RowReader(), list[JobRow](), ""
    for page in jobs.table():
        version = version or str(page["metadata"]["resourceVersion"])
        found += reader.rows_of(page)
        if len(found) > MOST_ROWS:
            return Listing(found[:MOST_ROWS], is_complete=False, version=version, reader=reader)
    return Listing(found, is_complete=True, version=version, reader=reader)


class RowReader:
    """Reads the tables of one list or watch, of which only the first says what its columns are."""

    def __init__(self) -> None:
        self._headers: list[str] = []

    def rows_of(self, table: Document) -> Iterator[JobRow]:
        """Yield the rows of a table."""
        columns: list[Document] = table.get("columnDefinitions") or []
        self._headers = [str(column["name"]) for column in columns] or self._headers
        for row in table.get("rows") or ():
            cells = dict(zip(self._headers, row["cells"], strict=False))
            yield _row_of(cells, row["object"]["metadata"])


def _row_of(cells: Document, metadata: Document) -> JobRow:
    labels: dict[str, str] = metadata.get("labels") or {}
    state, done = _text(cells, "Status") or JobState.WAITING.value, _text(cells, "Done")
    # One that an operator has seen and that waits for no retry waits for its session.
    finer = STARTS if state == JobState.WAITING and done else ""
    return JobRow(
        name=str(metadata["name"]),
        namespace=intern(str(metadata["namespace"])),
        created=datetime.fromisoformat(str(metadata["creationTimestamp"])).timestamp(),
        state=state,
        finer=intern(word_of(_text(cells, "Activity"))) or finer,
        done=done,
        script=_text(cells, "Script"),
        progress=_text(cells, "Progress"),
        reason=_text(cells, "Reason"),
        error=_text(cells, "Error"),
        template=_text(cells, "Template"),
        labels={intern(name): intern(value) for name, value in labels.items()},
    )


def _text(cells: Document, header: str) -> str:
    """Return a cell, "" where it is empty; equal texts of many rows are one object."""
    text = str(cells.get(header) or "")
    return "" if text in _NOTHING else intern(text)


class KeptRows:
    """Rows that are read once for all who ask within a moment, and forgotten after it."""

    def __init__(self, read: Callable[[], Awaitable[Rows]]) -> None:
        self._read = read
        self._reading: asyncio.Task[Rows] | None = None

    async def get(self) -> Rows:
        """Return the rows, as they were at most `KEPT_SECONDS` ago."""
        if self._reading is None:
            self._reading = asyncio.create_task(self._read_and_keep())
        return await asyncio.shield(self._reading)  # one who leaves takes it from no other

    def forget(self) -> None:
        """Have the next who asks read them again, as something was changed."""
        self._reading = None

    async def _read_and_keep(self) -> Rows:
        reading = asyncio.current_task()
        try:
            rows = await self._read()
        except BaseException:
            self._drop(reading)
            raise
        asyncio.get_running_loop().call_later(KEPT_SECONDS, self._drop, reading)
        return rows

    def _drop(self, reading: asyncio.Task[Rows] | None) -> None:
        if self._reading is reading:
            self._reading = None
