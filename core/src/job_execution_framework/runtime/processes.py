"""Finds, names and ends processes that scripts left running. It reads ``/proc``: Linux only."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

KILL_SECONDS = 5
"""How long SIGKILL may take: a process that waits inside the kernel cannot be killed."""
LOOK_SECONDS = 0.01
_PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None)


class _Orphans:
    """Processes that scripts left running and that have left their process group, too."""

    adopted = False

    def adopt(self) -> None:
        """Become the parent of such processes. Only for a process without other children."""
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)
        self.adopted = True

    def pids(self) -> set[int]:
        """Return our children, which are those that were adopted and the interpreter."""
        if not self.adopted:
            return set()
        with suppress(ChildProcessError):  # this file shows at once that there are none
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            return {pid for pid in _all() if parent(pid) == os.getpid()}
        return set()

    def end(self, grace_seconds: float) -> None:
        """End what was adopted, and what that leaves running in turn."""
        for number, seconds in ((signal.SIGTERM, grace_seconds), (signal.SIGKILL, KILL_SECONDS)):
            end = time.monotonic() + seconds
            signalled: set[int] = set()
            while time.monotonic() <= end and (children := self.pids()):
                for pid in children - signalled:
                    with suppress(PermissionError):  # it runs as another user
                        os.kill(pid, number)
                for pid in children:
                    os.waitpid(pid, os.WNOHANG)
                signalled |= children
                time.sleep(LOOK_SECONDS)


orphans = _Orphans()


def left_running(group: int, known: Collection[int]) -> list[int]:
    """Return the processes of a group, and those that we adopted, without those that are known."""
    found = orphans.pids()
    with suppress(ProcessLookupError, PermissionError):  # the first means that the group is empty
        os.killpg(group, 0)
        found |= {pid for pid in _all() if _fields(pid)[2] == str(group)}
    return sorted(pid for pid in found.difference(known) if _fields(pid)[0] not in "ZX")


def lineage(pid: int) -> list[int]:
    """Return the process and its ancestors."""
    line: list[int] = []
    while pid > 1:
        line.append(pid)
        pid = parent(pid)
    return line


def parent(pid: int) -> int:
    """Return the parent's id, 0 where there is no such process."""
    return int(_fields(pid)[1])


def name(pid: int) -> str:
    """Return a process' id and command line, or else its name."""
    words = _read(pid, "cmdline").replace("\0", " ").strip()
    return f"process {pid}: {words or _read(pid, 'comm').strip() or 'gone by now'}"


def _all() -> list[int]:
    return [int(process.name) for process in Path("/proc").glob("[0-9]*")]


def _fields(pid: int) -> list[str]:
    """Return a process' state, parent and group."""
    # pid (name) state ppid …; the name may hold anything, also brackets
    return _read(pid, "stat").rpartition(")")[2].split()[:3] or ["X", "0", "0"]


def _read(pid: int, what: str) -> str:
    try:
        return Path("/proc", str(pid), what).read_text("utf-8", "replace")
    except OSError:
        return ""
