"""Starts our own programs in the background: they go on when `make up` has ended."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dev.cluster.places import CHECKOUT
from dev.up import owned_processes
from dev.up.errors import Failed

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
