"""Passes on what scripts write, byte for byte, and keeps the last lines for failures.

Used by `child_runner`.
"""

from __future__ import annotations

import fcntl
import math
import os
import select
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from job_execution_framework.domain.lines import ends_in, lines_of

PIPE_BYTES = 1024 * 1024
TAIL_BYTES = 65536
SMALL_BYTES = 4096
SHORTEST_LOOK_SECONDS = 0.001
JOIN_SECONDS = 0.1


class OutputTail:
    """The end of what one attempt wrote to output and errors, and its number of lines."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tail, self._size, self._lines = b"", 0, 0
        self.written_at = -math.inf
        """When something was written last, by the monotonic clock."""
        self.ends_a_line = True
        """Whether the next byte begins a line."""

    def add(self, data: bytes) -> None:
        """Add what was written."""
        self.written_at = time.monotonic()
        with self._lock:
            self._lines += ends_in(data, self._tail)
            self._tail = (self._tail + data[-TAIL_BYTES:])[-TAIL_BYTES:]
            self._size += len(data)
            self.ends_a_line = data.endswith(b"\n")  # after a CR we would write over the line

    def take(self, lines: int) -> tuple[list[str], int]:
        """Return the last lines and the number of all, and begin anew."""
        with self._lock:
            tail, size, count = self._tail, self._size, self._lines
            self._tail, self._size, self._lines = b"", 0, 0
        count += bool(tail) and not tail.endswith((b"\n", b"\r"))
        text = lines_of(tail.decode("utf-8", "replace"))
        if size > TAIL_BYTES:
            # The first line is cut, and may have half of a secret, which could not be hidden.
            del text[0]
        return [line for line in text if line.strip()][-lines:], count


def new_pipe() -> tuple[int, int]:
    """Return a large pipe for output: where it is read, and where it is written."""
    source, inlet = os.pipe()
    with suppress(PermissionError):  # the pipes of this user have reached their limit
        fcntl.fcntl(inlet, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    return source, inlet


class Pump(threading.Thread):
    """Passes on what arrives in a pipe, in a thread of its own.

    Nobody waits for the pipe to be closed, because a daemon of a script may keep it open.
    """

    def __init__(
        self,
        pipe: tuple[int, int],
        target: int,
        tail: OutputTail,
        *readers: Callable[[bytes], None],
    ) -> None:
        """Take the pipe, the descriptor to write to, and who else gets what is passed on."""
        super().__init__(daemon=True)
        self._readers = readers
        self._source, self._inlet = pipe
        self._target, self._tail, self._written = target, tail, 0
        self.copy: Callable[[bytes], None] | None = None
        """Who else gets all that is written, the lines of our own among it."""
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Pass on from now on, if it does not yet."""
        if self.ident is None:
            self.start()

    def run(self) -> None:
        """Pass on until nobody can write any more."""
        while ready([self._source]):
            with self._lock:  # from reading until all is written: `drain` relies on this
                data = os.read(self._source, PIPE_BYTES)
                if not data:
                    os.close(self._source)
                    self._source = -1
                    return
                self._tail.add(data)
                for read in self._readers:
                    read(data)
                self._write(data)
            if len(data) < SMALL_BYTES:
                # Lines that come meanwhile are passed on together, which costs less.
                time.sleep(SHORTEST_LOOK_SECONDS)

    def drain(self, limit_seconds: float) -> int | None:
        """Wait until all that was written is passed on; return how many bytes that were so far.

        None where that took too long.
        """
        end = time.monotonic() + limit_seconds
        while (left := end - time.monotonic()) > 0 and self._lock.acquire(timeout=left):
            waiting = self.is_alive() and self._source >= 0 and ready([self._source], 0)
            written = self._written
            self._lock.release()
            if not waiting:
                return written
            time.sleep(SHORTEST_LOOK_SECONDS)
        return None

    def insert(self, text: str, limit_seconds: float) -> int | None:
        """Write lines of our own between those of scripts; return how many bytes there are so far.

        None where nobody reads the output.
        """
        if not self._lock.acquire(timeout=limit_seconds):
            return None
        text = text if self._tail.ends_a_line else f"\n{text}"
        self._write(text.encode("utf-8", "backslashreplace"))
        self._tail.ends_a_line = True
        written = self._written
        self._lock.release()
        return written

    def close(self, limit_seconds: float) -> None:
        """Pass on the rest. While a daemon keeps the pipe open, the thread goes on."""
        self.drain(limit_seconds)
        os.close(self._inlet)
        if self.ident is None:
            os.close(self._source)
        else:
            self.join(JOIN_SECONDS)

    def _write(self, data: bytes) -> None:
        """Write it all. Where the output is closed or the disk full, drop it: scripts go on."""
        if self.copy:
            self.copy(data)
        rest = memoryview(data)
        while rest:
            try:
                written = os.write(self._target, rest)
                self._written += written
                rest = rest[written:]
            except BlockingIOError:  # another process that shares the file made it non-blocking
                ready([self._target], event=select.POLLOUT)
            except OSError:
                return


def ready(files: Iterable[int], seconds: float = math.inf, event: int = select.POLLIN) -> set[int]:
    """Wait for a descriptor; return those that are ready. `select` cannot watch any above 1,023."""
    poll = select.poll()
    for file in files:
        poll.register(file, event)
    return {file for file, _ in poll.poll(max(0, seconds) * 1000 if seconds < math.inf else None)}
