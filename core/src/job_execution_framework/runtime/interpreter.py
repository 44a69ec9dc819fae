"""One process of the session's interpreter: started, asked, and ended. Linux only.

It runs child.py, reports over a Unix socket and gets each script over the same connection, with
fresh descriptors 0 to 2; then both hang up, so that no channel is open while a script runs.
"""

from __future__ import annotations

import ctypes
import json
import os
import secrets
import select
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

LARGEST_MESSAGE_BYTES = 4 * 1024 * 1024
MESSAGE_SECONDS = 10
"""How long one message may take, once somebody connected."""
KILL_SECONDS = 5
"""How long SIGKILL may take: a process in the kernel's hands cannot be killed at all."""
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_libc = ctypes.CDLL(None)

DIED, TIMED_OUT, WOKEN = "died", "timed out", "woken"
"""What can happen instead of an answer."""


class _Orphans:
    """What scripts leave behind when it leaves their process group, too."""

    adopted = False

    def adopt(self) -> None:
        """Become the parent of what is left behind. Only for a process without other children."""
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)
        self.adopted = True

    def end(self) -> None:
        """Kill what was adopted, and what that leaves behind in turn."""
        end = time.monotonic() + KILL_SECONDS
        while self.adopted and (children := _children()) and time.monotonic() < end:
            for pid in children:
                with suppress(ProcessLookupError, ChildProcessError):
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)


orphans = _Orphans()


class Interpreter:
    """A running interpreter. `inlets` are what its standard output and error are."""

    def __init__(
        self, argv: Sequence[str], directory: Path, inlets: tuple[int, int], wake: int
    ) -> None:
        """Start it. Raises OSError where it cannot be started at all."""
        self._wake = wake
        self._inlets, self._null = inlets, os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        self.crash_file = directory / "crash"
        self.crash_file.write_bytes(b"")
        # An abstract address: no path that could be too long, no file that could be left behind.
        address = f"enso-{secrets.token_hex(16)}"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(f"\0{address}")
        self._listener.listen(8)
        self._connection: socket.socket | None = None
        self._peer: int | None = None
        environment = {
            **os.environ,
            "ENSO_SOCKET": address,
            "ENSO_CRASH": str(self.crash_file),
        }
        try:
            self._process = subprocess.Popen(
                [*argv, str(directory / "child.py")],
                stdin=self._null,
                stdout=inlets[0],
                stderr=inlets[1],
                env=environment,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509  # one prctl, no lock is taken
            )
        except OSError:
            self._release()
            raise
        self._exit = os.pidfd_open(self._process.pid)

    def wait(self, seconds: float | None) -> dict[str, Any] | str:
        """Return the child's report, or what happened instead of one."""
        return self._wait_for([self._listener, self._exit, self._wake], seconds)

    def _wait_for(self, sources: list[Any], seconds: float | None) -> dict[str, Any] | str:
        end = None if seconds is None else time.monotonic() + seconds
        while True:
            left = None if end is None else max(0.0, end - time.monotonic())
            ready = select.select(sources, [], [], left)[0]
            if self._listener in ready:
                report = self._hear()
                if report is not None:
                    return report
            elif self._wake in ready:
                return WOKEN
            elif self._exit in ready:
                return DIED
            elif not ready:
                return TIMED_OUT

    def send(self, work: Mapping[str, Any]) -> None:
        """Answer the report with the next script, or with nothing: then the child ends."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        files = [self._null, *self._inlets]
        with connection, suppress(OSError):  # a child that died meanwhile is seen by `wait`
            connection.settimeout(MESSAGE_SECONDS)
            data = json.dumps(work).encode() + b"\n"
            sent = socket.send_fds(connection, [data], files)
            connection.sendall(data[sent:])

    def end(self, grace_seconds: float) -> int | None:
        """Ask the whole group to end, then make it; return the exit status where there is one."""
        self._signal(signal.SIGTERM)
        self._wait_for([self._listener, self._exit], grace_seconds)  # it ends, or it reports
        self._signal(signal.SIGKILL)
        select.select([self._exit], [], [], KILL_SECONDS)
        status = self._process.poll()
        orphans.end()
        self._release()
        os.close(self._exit)
        return status

    def let_go(self, grace_seconds: float) -> None:
        """Let the child end by itself, so that it can give back its licence; then end it."""
        self.send({})
        select.select([self._exit], [], [], grace_seconds)
        self.end(grace_seconds if self._process.poll() is None else 0)

    def _hear(self) -> dict[str, Any] | None:
        """Take one report. Forked copies and strangers are not heard."""
        connection = self._listener.accept()[0]
        connection.settimeout(MESSAGE_SECONDS)
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        pid, uid, _ = struct.unpack("3i", credentials)
        try:
            if uid == os.getuid() and self._peer in (None, pid):
                report: dict[str, Any] | None = json.loads(_read_line(connection))
                if isinstance(report, dict):
                    self._peer, self._connection = pid, connection
                    return report
        except (OSError, ValueError, RecursionError):
            pass
        connection.close()
        return None

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):  # all of the group have gone by themselves
            os.killpg(self._process.pid, number)

    def _release(self) -> None:
        self._listener.close()
        if self._connection:
            self._connection.close()
        os.close(self._null)


def _read_line(connection: socket.socket) -> bytes:
    data = b""
    while not data.endswith(b"\n"):
        chunk = connection.recv(65536)
        if not chunk or len(data) > LARGEST_MESSAGE_BYTES:
            raise ValueError("no whole message")
        data += chunk
    return data


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))


def _children() -> list[int]:
    """Return the processes whose parent we are."""
    found: list[int] = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended while we looked
            # pid (name) state ppid …; the name may hold anything, also brackets
            if int(stat.read_text("utf-8", "replace").rpartition(")")[2].split()[1]) == os.getpid():
                found.append(int(stat.parent.name))
    return found
