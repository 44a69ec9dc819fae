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
            self._tail = (self._tail + data[-TAIL_BYTES:])[-TAIL_BYTES:]
            self._size += len(data)
            self._lines += data.count(b"\n")
            self.ends_a_line = data.endswith(b"\n")

    def take(self, lines: int) -> tuple[list[str], int]:
        """Return the last lines and the number of all, and begin anew."""
        with self._lock:
            tail, size, count = self._tail, self._size, self._lines
            self._tail, self._size, self._lines = b"", 0, 0
        count += bool(tail) and not tail.endswith(b"\n")
        if size > TAIL_BYTES:
            # A line without its beginning may hold half of a secret, which nobody would recognise.
            tail = tail.partition(b"\n")[2]
        text = tail.decode("utf-8", "replace").splitlines()
        return [line for line in text if line.strip()][-lines:], count


class Pump(threading.Thread):
    """Passes on what arrives in a pipe. Nobody waits for its end: a daemon may hold it."""

    def __init__(self, target: int, said: Said) -> None:
        super().__init__(daemon=True)
        self._source, self.inlet = os.pipe()
        with suppress(PermissionError):  # this user's pipes are large enough together
            fcntl.fcntl(self.inlet, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self._target, self._said = target, said
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

    def drain(self, limit_seconds: float) -> None:
        """Wait until what was written before has been passed on."""
        end = time.monotonic() + limit_seconds
        while (left := end - time.monotonic()) > 0 and self._passing.acquire(timeout=left):
            waiting = self._source >= 0 and ready([self._source], 0)
            self._passing.release()
            if not waiting:
                return
            time.sleep(SHORTEST_LOOK_SECONDS)

    def say(self, text: str, limit_seconds: float) -> None:
        """Write lines of our own, between what scripts write, unless nobody reads us."""
        if self._passing.acquire(timeout=limit_seconds):
            text = text if self._said.ends_a_line else f"\n{text}"
            self._write(text.encode("utf-8", "backslashreplace"))
            self._said.ends_a_line = True
            self._passing.release()

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
                rest = rest[os.write(self._target, rest) :]
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
