"""The processes that `make up` started, and all that came from them: found by a variable.

Its programs get it, and so does whatever they start, sessions included. No number in a file can
tell as surely which processes are ours, and none of somebody else's has it.
"""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from dev.cluster.places import CHECKOUT

VARIABLE = "ENSO_MADE_UP"
SERVERS = (b"serve", b"operator")
SUPERVISORS = (b"job_execution_framework.runtime",)
SESSION = "a session"
"""What people call what a supervisor runs."""
_TERM_SECONDS, _KILL_SECONDS = 8.0, 5.0


def value(port: int) -> str:
    """Return what the variable holds: two checkouts, and two ports, never meet."""
    return f"{CHECKOUT}:{port}"


def ours(port: int, *words: bytes) -> dict[int, list[bytes]]:
    """Return our processes, by number: those with one of the words in their command, or all."""
    mark = f"{VARIABLE}={value(port)}".encode()
    commands = {
        int(entry.name): _read(entry / "cmdline").split(b"\0")
        for entry in Path("/proc").glob("[0-9]*")
        if mark in _read(entry / "environ").split(b"\0")  # of a zombie's nothing can be read
    }
    return {pid: line for pid, line in commands.items() if not words or {*words} & {*line}}


def end_gateway(port: int) -> None:
    """End what serves the HTTP API, from memory or over the cluster."""
    _end(port, (b"serve",))


def end_in_memory(port: int) -> None:
    """End the server that keeps jobs in memory."""
    _end(port, (b"--embedded",))


def end_servers(port: int) -> list[str]:
    """End the servers, and say what they were; sessions of an operator go on without it."""
    return _end(port, SERVERS)


def end_all(port: int) -> list[str]:
    """End everything, and say what it was: each in good order, or killed."""
    told = end_servers(port)  # first, as one that serves from memory takes its jobs along
    return told + _end(port, SUPERVISORS) + _end(port, ())


def _end(port: int, words: tuple[bytes, ...]) -> list[str]:
    found = ours(port, *words)
    for number, seconds in (
        *([(signal.SIGTERM, _TERM_SECONDS)] if words else []),  # scripts have had theirs
        (signal.SIGKILL, _KILL_SECONDS),
    ):
        for pid in ours(port, *words):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        _wait(seconds, lambda: not ours(port, *words))
    return [_readable(command) for command in found.values()]


def _readable(command: list[bytes]) -> str:
    for word, name in {
        b"--embedded": "the HTTP API in memory",
        b"serve": "the HTTP API",
        b"operator": "the operator",
        SUPERVISORS[0]: SESSION,
    }.items():
        if word in command:
            return name
    return "what a session had started"


def _read(path: Path) -> bytes:
    """Return a file of /proc/PID, empty where the process is gone or not ours to look at."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _wait(seconds: float, done: Callable[[], bool]) -> None:
    """Return when it is done, or the time is over."""
    deadline = time.monotonic() + seconds
    while not done() and time.monotonic() < deadline:
        time.sleep(0.05)
