"""A log of records on disk, and the unit of work whose commit appends to it.

Sessions write one, and so does ``enso run``.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from job_execution_framework.domain.errors import Conflict, JobNotFound
from job_execution_framework.domain.events import Event
from job_execution_framework.domain.job import Job
from job_execution_framework.service_layer.records import Record, from_log, only_events, to_line
from job_execution_framework.service_layer.unit_of_work import JobUnitOfWork

PIECE_BYTES = 64 * 1024
"""How much is searched at once for the end of the last whole record."""


class Journal:
    """Records in a file, one line each. A whole line never changes any more."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, *records: Record, expected_size: int | None = None) -> int:
        """Write the records at once, at the end, and return the journal's new size in bytes.

        Raises OSError where they do not fit, and Conflict where the journal has another size than
        is expected.
        """
        lines = b"".join(to_line(record) for record in records)
        # Readable for all: inside a Pod another container, with another user id, reads it.
        with self.path.open("a+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            size = os.fstat(file.fileno()).st_size
            if expected_size not in (None, size):
                raise Conflict(f"{self.path} was written by somebody else meanwhile")
            size = _cut_torn_line(file.fileno(), size)
            written = file.write(lines)
            if written < len(lines):
                raise OSError(f"{self.path}: only {written} of {len(lines)} bytes fitted")
            return size + written

    def size(self) -> int:
        """Return the journal's size in bytes, 0 where there is none yet."""
        return self.path.stat().st_size if self.path.exists() else 0

    def read(self) -> list[Record]:
        """Return every whole record; none where there is no file yet."""
        return from_log(self.path.read_bytes()) if self.path.exists() else []


def _cut_torn_line(file: int, size: int) -> int:
    """Remove the start of a record whose writer died or ran out of space; return the new size.

    Otherwise the next record would become the end of that line.
    """
    newline = -1
    while size and newline < 0:  # the line may be long: scripts can write here, too
        begin = max(0, size - PIECE_BYTES)
        newline = os.pread(file, size - begin, begin).rfind(b"\n")
        size = begin + newline + 1
    os.ftruncate(file, size)
    return size


class JournalUnitOfWork(JobUnitOfWork):
    """One job, described by `job`, whose events are a journal.

    Inside a session `job` comes from the plan, and the journal is what the coordinator follows.
    In `enso run` it comes from the manifest, and the journal is the job's whole history.
    """

    def __init__(self, job: Job, journal: Journal) -> None:
        super().__init__()
        self.journal = journal
        self._job = job.copy()
        """The job as it was described, with the events that were read or written so far."""
        self._size = 0

    def load(self, job_id: str) -> tuple[Job, int]:
        """Return the job with everything that the journal has."""
        if job_id != self._job.id:
            raise JobNotFound(f"there is no job {job_id!r} here, only {self._job.id!r}")
        if (size := self.journal.size()) != self._size:
            for event in only_events(self.journal.read()):
                self._job.apply(event)
            self._size = size
        return self._job.copy(), self._size

    def job_ids(self) -> list[str]:
        """Return the id of the only job, if it was added; else nothing."""
        return [self._job.id] if self.journal.size() else []

    def save(self, job: Job, events: list[Event], version: int | str | None) -> int:
        """Append the new events; Conflict where the journal grew since the job was loaded."""
        self._job.redefine(job)  # a resume may have changed it; the journal does not keep that
        self._size = self.journal.append(*events, expected_size=int(version or 0))
        for event in events:
            self._job.apply(event)
        return self._size
