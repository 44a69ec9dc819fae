"""What scripts write, passed on byte for byte, with its end kept for a failure's record."""

from __future__ import annotations

import fcntl
import math
import os
import select
import threading
import time
from collections.abc import Iterable
from contextlib import suppress

from job_execution_framework.domain.lines import ends_in, lines_of

PIPE_BYTES = 1024 * 1024
TAIL_BYTES = 65536
SMALL_BYTES = 4096
SHORTEST_LOOK_SECONDS = 0.001
JOIN_SECONDS = 0.1


class Said:
    """The end of what one attempt wrote, on any of its streams, and how many lines it was."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tail, self._size, self._lines = b"", 0, 0
        self.ends_a_line = True
        """Whether the next thing that is written begins a line."""

    def add(self, data: bytes) -> None:
        """Take in what was written."""
        with self._lock:
            self._lines += ends_in(data, self._tail)
            self._tail = (self._tail + data[-TAIL_BYTES:])[-TAIL_BYTES:]
            self._size += len(data)
            self.ends_a_line = data.endswith(b"\n")  # what follows a CR would be written over it

    def take(self, lines: int) -> tuple[list[str], int]:
        """Return the last lines and the number of all, and begin anew."""
        with self._lock:
            tail, size, count = self._tail, self._size, self._lines
            self._tail, self._size, self._lines = b"", 0, 0
        count += bool(tail) and not tail.endswith((b"\n", b"\r"))
        text = lines_of(tail.decode("utf-8", "replace"))
        if size > TAIL_BYTES:
            # A line without its beginning may hold half of a secret, which nobody would recognise.
            del text[0]
        return [line for line in text if line.strip()][-lines:], count


class Pump(threading.Thread):
    """Passes on what arrives in a pipe. Nobody waits for its end: a daemon may hold it."""

    def __init__(self, target: int, said: Said) -> None:
        super().__init__(daemon=True)
        self._source, self.inlet = os.pipe()
        with suppress(PermissionError):  # this user's pipes are large enough together
            fcntl.fcntl(self.inlet, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self._target, self._said, self._passed = target, said, 0
        self._passing = threading.Lock()
        self.start()

    def run(self) -> None:
        """Pass on until nobody can write any more."""
        while ready([self._source]):
            with self._passing:  # from before it leaves the pipe until it has been passed on
                data = os.read(self._source, PIPE_BYTES)
                if not data:
                    os.close(self._source)
                    self._source = -1
                    return
                self._said.add(data)
                self._write(data)
            if len(data) < SMALL_BYTES:
                time.sleep(SHORTEST_LOOK_SECONDS)  # or each line would wake us: rather some at once

    def drain(self, limit_seconds: float) -> int | None:
        """Wait until what was written before has been passed on; return how many bytes were in all.

        Nothing where that took too long.
        """
        end = time.monotonic() + limit_seconds
        while (left := end - time.monotonic()) > 0 and self._passing.acquire(timeout=left):
            waiting = self._source >= 0 and ready([self._source], 0)
            passed = self._passed
            self._passing.release()
            if not waiting:
                return passed
            time.sleep(SHORTEST_LOOK_SECONDS)
        return None

    def say(self, text: str, limit_seconds: float) -> int | None:
        """Write lines of our own, between what scripts write; return how many bytes were in all.

        Nothing where nobody reads us.
        """
        if not self._passing.acquire(timeout=limit_seconds):
            return None
        text = text if self._said.ends_a_line else f"\n{text}"
        self._write(text.encode("utf-8", "backslashreplace"))
        self._said.ends_a_line = True
        passed = self._passed
        self._passing.release()
        return passed

    def close(self, limit_seconds: float) -> None:
        """Pass on the rest. Where a daemon holds the pipe, the thread stays until it lets go."""
        self.drain(limit_seconds)
        os.close(self.inlet)
        self.join(JOIN_SECONDS)

    def _write(self, data: bytes) -> None:
        """Write it all, unless nobody reads us or the disk is full: the script must not feel it."""
        rest = memoryview(data)
        while rest:
            try:
                written = os.write(self._target, rest)
                self._passed += written
                rest = rest[written:]
            except BlockingIOError:  # somebody who shares it with us made it so
                ready([self._target], event=select.POLLOUT)
            except OSError:
                return


def ready(files: Iterable[int], seconds: float = math.inf, event: int = select.POLLIN) -> set[int]:
    """Wait for one of the descriptors. Not select: it cannot watch those above 1,023."""
    poll = select.poll()
    for file in files:
        poll.register(file, event)
    return {file for file, _ in poll.poll(max(0, seconds) * 1000 if seconds < math.inf else None)}
