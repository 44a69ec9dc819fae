"""Watches the EnsoJobs of one namespace as a table, for as long as somebody listens to changes.

However many look at pages of these jobs with the same rights, it is one list and one watch. What it
knows is also what the list of jobs shows meanwhile.
"""

from __future__ import annotations

import asyncio
import math
from bisect import bisect_left
from collections.abc import Awaitable, Callable
from contextlib import aclosing

from enso_operator.api.document import Document
from enso_operator.blocking import pause_of
from enso_operator.http_api.changes import Changes
from enso_operator.http_api.cluster_rows import Listing, RowReader
from enso_operator.http_api.rows import MOST_ROWS, JobRow, Rows, newest_first
from enso_operator.kube.streams import Streams, WatchExpired
from job_execution_framework.domain.errors import Unavailable

SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 5.0
"""Bounds of the pause before an API server is asked again that did not answer.

It grows until a watch tells of a change, or lasts for longer than the longest pause. A watch that
did neither has failed, however it ended: something between here and the API server may close each
at once."""

AWAY_TRIES = 2
"""The first failure may be a watch that was cut off; after the next one those who look are told."""


class JobWatch:
    """The rows of all jobs, kept by a watch."""

    def __init__(
        self, namespace: str, streams: Streams, listing: Callable[[], Awaitable[Listing]]
    ) -> None:
        """`listing` lists the jobs."""
        self._namespace, self._streams, self._listing = namespace, streams, listing
        self._rows = list[JobRow]()
        """In their order; each change finds its place by halves."""
        self._is_complete = self.is_live = False
        """Whether all jobs are known; whether what is known is of now."""
        self._tries = 0
        """Lists and watches that failed one after the other."""
        self.changes = Changes(self._run)

    def rows(self) -> Rows:
        """Return the rows as they are now, of a watch that is live."""
        return Rows(tuple(self._rows), self._is_complete)

    async def _run(self) -> None:
        """Watch, and get over an API server that restarts."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                begun = math.inf
                try:
                    listing = await self._list()
                    version, begun = listing.version, loop.time()
                    while True:  # the API server ends a watch now and then
                        version = await self._follow(version, listing.reader)
                except (Unavailable, WatchExpired):
                    self.is_live = False
                    if loop.time() - begun > LONGEST_PAUSE_SECONDS:
                        self._tries = 0
                    pause = pause_of(self._tries, SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
                    self._tries += 1
                    if self._tries == AWAY_TRIES:
                        self.changes.tell()  # who looks now sees that the API server is away
                    await asyncio.sleep(pause)
        finally:
            self._rows, self.is_live, self._tries = [], False, 0

    async def _list(self) -> Listing:
        """Read all rows anew."""
        listing = await self._listing()
        self._rows = sorted(listing.rows, key=newest_first)
        self._is_complete, self.is_live = listing.is_complete, True
        self.changes.tell()
        return listing

    async def _follow(self, version: str, reader: RowReader) -> str:
        """Take in changes until the stream ends; return the version that it has reached.

        Raises Unavailable where it ended at once, with nothing.
        """
        loop = asyncio.get_running_loop()
        begun, has_told = loop.time(), False
        events = self._streams.table_changes(self._namespace, "ensojobs", version)
        async with aclosing(events) as changes:
            async for event in changes:
                version = _version(event["object"]) or version
                if event["type"] != "BOOKMARK":
                    self._tries, has_told = 0, True
                    for row in reader.rows_of(event["object"]):
                        self._take(row, is_deleted=event["type"] == "DELETED")
        if not has_told and loop.time() - begun < LONGEST_PAUSE_SECONDS:
            raise Unavailable("the API server ended the watch at once")
        return version

    def _take(self, row: JobRow, *, is_deleted: bool) -> None:
        place = bisect_left(self._rows, newest_first(row), key=newest_first)
        present = self._rows[place : place + 1]
        is_known = bool(present) and newest_first(present[0]) == newest_first(row)
        self._rows[place : place + is_known] = [] if is_deleted else [row]
        if len(self._rows) > MOST_ROWS:
            del self._rows[MOST_ROWS:]  # the oldest
            self._is_complete = False
        self.changes.tell(row.name)


def _version(table: Document) -> str:
    """Return the resourceVersion of the only row of a table, or of a bookmark."""
    rows: list[Document] = table.get("rows") or []
    metadata: Document = rows[-1]["object"]["metadata"] if rows else table.get("metadata") or {}
    return str(metadata.get("resourceVersion") or "")
