"""What scripts write, passed on byte for byte, with its end kept for a failure's record."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import termios
import threading
import time
from collections.abc import Sequence

PIPE_BYTES = 1024 * 1024
TAIL_BYTES = 8192
SHORTEST_LOOK_SECONDS = 0.001


class Said:
    """The end of what one attempt wrote, on any of its streams, and how many lines it was."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tail, self._lines = b"", 0
        self.ends_a_line = True
        """Whether the next thing that is written begins a line."""

    def add(self, data: bytes) -> None:
        """Take in what was written."""
        with self._lock:
            self._lines += data.count(b"\n")
            self._tail = (self._tail + data[-TAIL_BYTES:])[-TAIL_BYTES:]
            self.ends_a_line = data.endswith(b"\n")

    def take(self, lines: int) -> tuple[Sequence[str], int]:
        """Return the last lines and the number of all, and begin anew."""
        with self._lock:
            tail, count = self._tail, self._lines + (not self._tail.endswith(b"\n"))
            self._tail, self._lines = b"", 0
        text = tail.decode("utf-8", "replace").splitlines()
        return [line for line in text if line.strip()][-lines:], count if tail else 0


class Pump(threading.Thread):
    """Passes on what arrives in a pipe. Nobody waits for its end: a daemon may hold it."""

    def __init__(self, target: int, said: Said) -> None:
        super().__init__(daemon=True)
        self._source, self.inlet = os.pipe2(os.O_CLOEXEC)
        fcntl.fcntl(self.inlet, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self._target, self._said, self._busy = target, said, False
        self.start()

    def run(self) -> None:
        """Pass on until nobody can write any more."""
        while select.select([self._source], [], [])[0]:
            self._busy = True
            data = os.read(self._source, PIPE_BYTES)
            if not data:
                return
            self._said.add(data)
            self.write(data)
            self._busy = False

    def write(self, data: bytes) -> None:
        """Write it all, unless nobody reads us or the disk is full: the script must not feel it."""
        while data:
            try:
                data = data[os.write(self._target, data) :]
            except OSError:
                return

    def drain(self, limit_seconds: float) -> None:
        """Wait until what was written before has been passed on."""
        end = time.monotonic() + limit_seconds
        while time.monotonic() < end and (self._waiting() or self._busy):
            time.sleep(SHORTEST_LOOK_SECONDS)

    def _waiting(self) -> int:
        """Return the bytes in the pipe."""
        size: int = struct.unpack("i", fcntl.ioctl(self._source, termios.FIONREAD, bytes(4)))[0]
        return size
