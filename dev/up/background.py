"""Starts our own programs in the background, and says who uses the port that one needs.

They go on when `make up` has ended. Called by commands.py and in_cluster.py.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from dev.checkout import CHECKOUT, Failed
from dev.up import owned_processes

FOLDER = CHECKOUT / ".cache" / "up"
_START_SECONDS = 60.0
_LINES = 5


@dataclass(frozen=True)
class Program:
    """One that was started; `name` is what people call it."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def wait_until(self, ready: Callable[[], object]) -> None:
        """Return when it is ready. Raises Failed if it ends, or takes too long."""
        deadline = time.monotonic() + _START_SECONDS
        while not ready():
            self.must_run()
            if time.monotonic() > deadline:
                raise Failed(
                    f"{self.name} is not ready within {_START_SECONDS:g} s; see {self.log}"
                )
            time.sleep(0.05)

    def must_run(self) -> None:
        """Raise Failed if it has ended."""
        if self.process.poll() is not None:
            said = "\n  ".join(self.said.splitlines()[-_LINES:]) or "nothing"
            raise Failed(f"{self.name} ended by itself. It said:\n  {said}")

    @property
    def said(self) -> str:
        """What it has written so far."""
        return self.log.read_text("utf-8", "replace")


def start(
    name: str, port: int, *arguments: str, environment: Mapping[str, str] | None = None
) -> Program:
    """Start `enso ARGUMENTS`, which belongs to the `make up` of that port."""
    log = folder(port) / f"{arguments[0]}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("enso")), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={
                **os.environ,
                **(environment or {}),
                owned_processes.VARIABLE: owned_processes.value(port),
            },
            start_new_session=True,
        )
    return Program(name, process, log)


def folder(port: int) -> Path:
    """Return where logs are, and what local sessions keep."""
    return FOLDER / str(port)


def answers(port: int) -> bool:
    """Whether anybody listens at the port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


def must_be_free(port: int) -> None:
    """Raise Failed where somebody has the port."""
    if answers(port):
        raise Failed(f"port {port} is taken by {_holder(port)}: end it, then try again")


def _holder(port: int) -> str:
    """Say who listens at the port, where that can be known."""
    for connection in psutil.net_connections("tcp"):
        listens_there = (
            connection.status == psutil.CONN_LISTEN
            and connection.laddr
            and connection.laddr.port == port
        )
        if listens_there and connection.pid is not None:  # None: another user's
            with suppress(psutil.Error):
                command = " ".join(psutil.Process(connection.pid).cmdline())
                return f"process {connection.pid} ({command})"
    return "another process"
