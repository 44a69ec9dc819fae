"""The processes that `make up` started, and all that came from them: found by a variable.

Its programs get it, and so does whatever they start, sessions included. No number in a file can
tell as surely which processes are ours, and none of somebody else's has it.
"""

import os
import signal
import time
from contextlib import suppress

import psutil
from dev.checkout import CHECKOUT
from dev.host.processes import words_of

VARIABLE = "ENSO_MADE_UP"
SERVERS = ("serve", "operator")
SUPERVISORS = ("job_execution_framework.runtime",)
SESSION = "a session"
"""What people call what a supervisor runs."""
_TERM_SECONDS, _KILL_SECONDS = 8.0, 5.0


def value(port: int) -> str:
    """Return what the variable holds: two checkouts, and two ports, never meet."""
    return f"{CHECKOUT}:{port}"


def ours(port: int, *words: str) -> dict[int, list[str]]:
    """Return our processes, by number: those with one of the words in their command, or all."""
    mark = (VARIABLE, value(port))
    return {
        process.pid: command
        for process in psutil.process_iter(["environ", "cmdline"])
        # Of a zombie nothing can be read, and not of what is not ours to look at.
        if mark in (process.info["environ"] or {}).items()
        for command in [words_of(process)]
        if not words or {*words} & {*command}
    }


def end(port: int, *words: str) -> list[str]:
    """End those with one of the words in good order, or all at once; say what they were."""
    found = ours(port, *words)
    for number, seconds in (
        *([(signal.SIGTERM, _TERM_SECONDS)] if words else []),  # scripts have had theirs
        (signal.SIGKILL, _KILL_SECONDS),
    ):
        for pid in ours(port, *words):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        deadline = time.monotonic() + seconds
        while ours(port, *words) and time.monotonic() < deadline:
            time.sleep(0.05)
    return [_readable(command) for command in found.values()]


def end_servers(port: int) -> list[str]:
    """End the servers, and say what they were; sessions of an operator go on without it."""
    return end(port, *SERVERS)


def end_all(port: int) -> list[str]:
    """End everything, and say what it was: each in good order, or killed."""
    told = end_servers(port)  # first, as one that serves from memory takes its jobs along
    return told + end(port, *SUPERVISORS) + end(port)


def _readable(command: list[str]) -> str:
    for word, name in {
        "--embedded": "the HTTP API in memory",
        "serve": "the HTTP API",
        "operator": "the operator",
        SUPERVISORS[0]: SESSION,
    }.items():
        if word in command:
            return name
    return "what a session had started"
