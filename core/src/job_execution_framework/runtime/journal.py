"""A log of records on disk, and the unit of work whose commit appends to it."""

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
"""What is looked through at once for the last whole record."""


class Journal:
    """Records in a file, one line each. What a reader has seen stays as it is."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, *records: Record, expected_size: int | None = None) -> int:
        """Write the records at once, at the end, and return the journal's new size in bytes.

        Raises OSError where they do not fit, and Conflict where the journal has another size than
        is expected.
        """
        lines = b"".join(to_line(record) for record in records)
        # Not private: inside a Pod another container, with another user id, reads it.
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
    """Forget the start of a record whose writer died or ran out of space in the middle of it.

    Nobody reads such a line, and the next record must not become its end.
    """
    newline = -1
    while size and newline < 0:  # whoever else can write to a journal may have begun a long line
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
        """The job as it was described, and what this unit of work has read or written of it."""
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
        """Return the one id, once the job was added."""
        return [self._job.id] if self.journal.size() else []

    def save(self, job: Job, events: list[Event], version: int | str | None) -> int:
        """Append the new events; Conflict where the journal grew since the job was loaded."""
        del job  # its new events say all that changed
        self._size = self.journal.append(*events, expected_size=int(version or 0))
        for event in events:
            self._job.apply(event)
        return self._size
