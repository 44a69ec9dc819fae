"""`make down`: end the server that `make up` started, and whatever its jobs left behind."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MARK = "ENSO_MADE_UP"
"""up.py gives this variable to its server, and so to all that the server starts: no number in a
file can tell as surely which processes are ours, and none of somebody else's has it."""
TERM_SECONDS, KILL_SECONDS = 8.0, 5.0


def main() -> int:
    """Return 0 when no process is left, also where none was there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=5005)
    mark = f"{MARK}={ROOT}:{parser.parse_args().port}".encode()
    servers = [pid for pid in marked(mark) if b"serve" in arguments(pid)]
    for pid in servers:
        send(pid, signal.SIGTERM)
    wait(TERM_SECONDS, lambda: not set(servers) & set(marked(mark)))
    for pid in (left := marked(mark)):
        send(pid, signal.SIGKILL)
    wait(KILL_SECONDS, lambda: not marked(mark))
    if left:
        print(f"ended what did not end by itself: processes {', '.join(map(str, left))}")
    if survivors := marked(mark):
        print(f"processes {', '.join(map(str, survivors))} cannot be ended", file=sys.stderr)
        return 1
    print("the server was stopped" if servers else "no server of ours was running")
    return 0


def marked(mark: bytes) -> list[int]:
    """Return the processes whose environment has `mark`. Of a zombie's nothing can be read."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if mark in read(pid, "environ").split(b"\0")]


def arguments(pid: int) -> list[bytes]:
    """Return the process's command line."""
    return read(pid, "cmdline").split(b"\0")


def read(pid: int, what: str) -> bytes:
    """Return a file of /proc/PID, empty where the process is gone or not ours to look at."""
    try:
        return Path("/proc", str(pid), what).read_bytes()
    except OSError:
        return b""


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process that may be gone already."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def wait(seconds: float, done: Callable[[], bool]) -> None:
    """Return when it is done, or the time is over."""
    deadline = time.monotonic() + seconds
    while not done() and time.monotonic() < deadline:
        time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(main())
