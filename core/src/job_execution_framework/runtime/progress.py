"""Reads what a script says of itself from its output, in the words of Open Job Description.

Those are lines that begin with ``openjd_progress:``, ``openjd_status:`` or ``openjd_fail:``. A file
in the session run's folder has the latest progress while an attempt runs: written at most once a
second, and removed when the attempt ends. `child_runner` begins and ends attempts, the pump's
thread adds their output.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from job_execution_framework.domain.lines import END
from job_execution_framework.domain.progress import (
    FAIL,
    PROGRESS,
    STATUS,
    Progress,
    percent_of,
    said_in,
    text_of,
)
from job_execution_framework.domain.secret import Redactor
from job_execution_framework.service_layer.progress_line import to_line

LONGEST_LINE_BYTES = 4096
"""The first bytes of a line, which alone are read."""
WRITE_SECONDS = 1.0
"""The least time between two writes of the file."""
_BEGINS = b"openjd_"


class ProgressReader:
    """The words of the attempt that runs."""

    def __init__(self, file: Path, redactor: Redactor) -> None:
        self._file, self._redactor, self._lock = file, redactor, threading.Lock()
        self._said: Progress | None = None
        """What the running attempt has said; None while none runs."""
        self._number, self._failed, self._rest = 0, "", b""
        self._changed = threading.Event()
        self._writer: threading.Thread | None = None

    def begin(self, script: str, attempt: int) -> None:
        """Read for an attempt, which has said nothing yet."""
        with self._lock:
            self._said, self._failed, self._rest = Progress(script, attempt), "", b""

    def end(self) -> str:
        """Forget the attempt and its progress; return what it said for the case that it fails."""
        with self._lock:
            self._take(self._rest)
            self._said = None
            with suppress(OSError):  # a script may have made a folder of it
                self._file.unlink(missing_ok=True)
            failed, self._failed = self._failed, ""
            return failed

    def add(self, data: bytes) -> None:
        """Read output, as it comes: a line may be torn anywhere."""
        with self._lock:
            if self._said is None:
                return
            data = self._rest + data
            if _BEGINS in data:
                *lines, self._rest = END.split(data)
                for line in lines:
                    self._take(line)
            else:
                self._rest = data[max(data.rfind(b"\n"), data.rfind(b"\r")) + 1 :]
            self._rest = self._rest[: LONGEST_LINE_BYTES + 1]

    def _take(self, line: bytes) -> None:
        """Take one line; what is no progress, such as a text for a number, is passed over."""
        if self._said is None or not line.startswith(_BEGINS):
            return
        found = said_in(line[:LONGEST_LINE_BYTES].decode("utf-8", "replace"))
        if found is None:
            return
        word, text = found
        hidden = self._redactor.hide(text, cut=len(line) > LONGEST_LINE_BYTES)
        percent = percent_of(text) if word == PROGRESS else None
        if word == FAIL:
            self._failed = hidden
        elif percent is not None:
            self._tell(replace(self._said, percent=percent))
        elif word == STATUS:
            self._tell(replace(self._said, message=text_of(hidden)))

    def _tell(self, said: Progress) -> None:
        if said == self._said:
            return
        self._number += 1
        self._said = replace(said, number=self._number)
        self._changed.set()
        if self._writer is None:
            self._writer = threading.Thread(target=self._write, daemon=True)
            self._writer.start()

    def _write(self) -> None:
        """Write the latest progress into the file, again and again: a thread."""
        while self._changed.wait():
            with self._lock:
                self._changed.clear()
                if self._said:
                    with suppress(OSError):  # the disk is full: nobody needs it to go on
                        self._replace_file(to_line(self._said))
            time.sleep(WRITE_SECONDS)

    def _replace_file(self, line: bytes) -> None:
        """Write the file as a whole, so that nobody reads half of it."""
        fresh = self._file.with_name(f"{self._file.name}.new")
        fresh.write_bytes(line)
        fresh.chmod(0o644)  # in a Pod another container, with another user id, reads it
        fresh.replace(self._file)
