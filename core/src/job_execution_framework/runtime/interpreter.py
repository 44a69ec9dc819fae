"""One process of the session's interpreter: starts it, sends it scripts, ends it. Linux >= 5.3.

It runs worker.py. That reports over a Unix socket and gets each script over the same connection,
with fresh descriptors 0 to 2; then both close it, so that it is not open while a script runs. Used
by `child_runner`.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from job_execution_framework.runtime import crash, processes
from job_execution_framework.runtime.processes import KILL_SECONDS, LOOK_SECONDS, orphans
from job_execution_framework.runtime.pump import ready
from job_execution_framework.service_layer import bounded_json

LARGEST_MESSAGE_BYTES = 4 * 1024 * 1024
MESSAGE_SECONDS = 2
"""How long one message may take after the connection is made."""
WRAPPER_SECONDS = 1
"""How long a wrapper around the interpreter may take to exit after the interpreter."""
SETTLE_SECONDS = 2.0
"""How long the interpreter's helper processes (multiprocessing) may take to end after it."""

WORKER = "worker.py"
DIED, TIMED_OUT, WOKEN = "died", "timed out", "woken"
"""What can happen instead of a report. WOKEN: somebody wrote to the `wake` descriptor."""


class Interpreter:
    """A running interpreter. `inlet` is both its standard output and its standard error."""

    def __init__(self, argv: Sequence[str], directory: Path, inlet: int, wake: int) -> None:
        """Start it. Raises OSError where it cannot be started at all."""
        self._wake = wake
        self._files = ExitStack()
        self.crash_file = directory / "crash"
        null = self._closed_at_end(os.open(os.devnull, os.O_RDONLY))
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC
        self._descriptors = [
            null,
            inlet,
            inlet,
            self._closed_at_end(os.open(self.crash_file, flags, 0o600)),
        ]
        self._connection: socket.socket | None = None
        self._peer = 0
        # An abstract address: a path could be too long, and its file could be left behind.
        address = f"enso-{os.urandom(16).hex()}"
        self._listener = self._files.enter_context(socket.socket(socket.AF_UNIX))
        self._listener.bind(f"\0{address}")
        self._listener.listen(64)
        lifeline, held = (self._closed_at_end(end) for end in os.pipe())
        del held  # held open for as long as we live; see _die_with_us
        try:
            self._process = subprocess.Popen(
                [*argv, str(directory / WORKER)],
                stdin=null,
                stdout=inlet,
                stderr=inlet,
                pass_fds=[lifeline],
                env={**os.environ, "ENSO_SOCKET": address},
                start_new_session=True,
            )
        except OSError:
            self._files.close()
            raise
        _die_with_us(self._process.pid, lifeline)
        self._pidfds = [self._closed_at_end(os.pidfd_open(self._process.pid))]
        """They become readable when the process that we started, and the interpreter, end."""

    def wait(self, seconds: float) -> dict[str, Any] | str:
        """Return the child's report, or what happened instead of one."""
        end, listener = time.monotonic() + seconds, self._listener.fileno()
        while True:
            readable = ready([listener, self._wake, *self._pidfds], end - time.monotonic())
            is_connected = listener in readable
            report = self._accept_report() if is_connected else None
            if report is not None:
                return report
            if self._wake in readable:
                return WOKEN
            if readable and not is_connected:
                return DIED
            if time.monotonic() >= end:
                return TIMED_OUT

    def send(self, request: Mapping[str, Any]) -> None:
        """Answer the latest report, with the next script or with the request to end."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        os.truncate(self.crash_file, 0)
        with connection, suppress(OSError):  # the child has died, which `wait` will see
            connection.settimeout(MESSAGE_SECONDS)
            data = json.dumps(request).encode() + b"\n"
            sent = socket.send_fds(connection, [data], self._descriptors)
            connection.sendall(data[sent:])

    def send_signal(self, number: int) -> None:
        """Send a signal to the interpreter itself, and not to a wrapper around it."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfds[-1], number)

    def status(self) -> int | None:
        """Return how it ended: an exit code, or a signal's number below zero."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(WRAPPER_SECONDS)
        code = self._process.poll()
        is_wrapped = self._peer not in (0, self._process.pid)
        if code is not None and code > 128 and is_wrapped:  # noqa: PLR2004  # as shells do
            return 128 - code
        return code

    def end(self, grace_seconds: float) -> None:
        """Terminate the whole process group, and kill what is left after the grace period."""
        self._signal(signal.SIGTERM)
        self._wait_until_ended(grace_seconds)
        self._signal(signal.SIGKILL)
        self._wait_until_ended(KILL_SECONDS)
        self._process.poll()
        orphans.end(grace_seconds)
        if self._connection:
            self._connection.close()
        self._files.close()

    def shut_down(self, seconds: float, grace_seconds: float) -> list[str]:
        """Let the child end by itself, after what scripts left running in it; then end the rest.

        Returns names of what did not end by itself.
        """
        self.send({"end": seconds})
        waits, busy = self._wait_until_ended(seconds, self._wake), list[str]()
        # The child's own time began a little later. After it the child writes what it waits for.
        end = time.monotonic() + crash.DUMP_SECONDS
        while self._pidfds[-1] in waits and not crash.tells_what_it_waits_for(self.crash_file):
            if time.monotonic() >= end or ready([self._wake], 0):
                break
            waits = self._wait_until_ended(LOOK_SECONDS, self._wake)
        if waits:
            busy = crash.what_it_waits_for(self.crash_file) or ["the interpreter itself"]
        left = busy + [processes.name(pid) for pid in self._left_running(settled=bool(waits))]
        self.end(grace_seconds)
        return left

    def _left_running(self, *, settled: bool) -> list[int]:
        """Return the processes that scripts left running and that have not ended by now."""
        self._process.poll()
        ours = {self._process.pid, *processes.lineage(self._peer)}
        end = time.monotonic() + (0 if settled else SETTLE_SECONDS)
        while left := processes.left_running(self._process.pid, ours):
            if time.monotonic() >= end:
                break
            time.sleep(LOOK_SECONDS)
        return left

    def _closed_at_end(self, file: int) -> int:
        """Close a descriptor when the interpreter has been ended; return it."""
        self._files.callback(os.close, file)
        return file

    def _wait_until_ended(self, seconds: float, wake: int | None = None) -> set[int]:
        """Wait until all pidfds are readable, or `wake` is; return those that are not."""
        end, left = time.monotonic() + seconds, set(self._pidfds)
        wakes = set[int]() if wake is None else {wake}
        while left and (readable := ready(left | wakes, end - time.monotonic())):
            left -= readable
            if readable & wakes:
                break
        return left

    def _accept_report(self) -> dict[str, Any] | None:
        """Accept one connection and return its report. Forked copies and strangers are refused."""
        connection = self._listener.accept()[0]
        connection.settimeout(MESSAGE_SECONDS)
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        pid, uid, _ = struct.unpack("3i", credentials)
        with suppress(OSError, ValueError):
            if uid == os.getuid() and (pid == self._peer if self._peer else self._is_ours(pid)):
                report: dict[str, Any] | None = bounded_json.loads_cut(_read_line(connection))
                if isinstance(report, dict):
                    if not self._peer:
                        self._pidfds.append(self._closed_at_end(os.pidfd_open(pid)))
                        self._peer = pid
                    self._connection = connection
                    return report
        connection.close()
        return None

    def _is_ours(self, pid: int) -> bool:
        """Whether a process is what we started, or its descendant, as a wrapper's child is."""
        return self._process.pid in processes.lineage(pid)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):  # all of the group have gone by themselves
            os.killpg(self._process.pid, number)


def _read_line(connection: socket.socket) -> bytes:
    data, end = bytearray(), time.monotonic() + MESSAGE_SECONDS
    while not data.endswith(b"\n"):
        chunk = connection.recv(65536)
        if not chunk or len(data) > LARGEST_MESSAGE_BYTES or time.monotonic() > end:
            raise ValueError("no whole message")
        data += chunk
    return bytes(data)


def _die_with_us(group: int, lifeline: int) -> None:
    """Have the kernel kill the group when this process dies and with it the pipe's other end.

    It works through any number of wrappers, whatever the processes are doing.
    """
    with suppress(ProcessLookupError):  # it has ended already
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, -group)
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, int(signal.SIGKILL))
        fcntl.fcntl(lifeline, fcntl.F_SETFL, os.O_ASYNC)
