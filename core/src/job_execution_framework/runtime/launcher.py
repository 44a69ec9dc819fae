"""Starts the interpreters of one session, the first one perhaps ahead of the script that needs it.

`child_runner` has one. `head_start` may make it before the supervisor has loaded the rest of this
package, so it imports little.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from job_execution_framework.runtime.interpreter import WORKER, Interpreter
from job_execution_framework.runtime.pump import new_pipe

_HERE = Path(__file__).parent
_OURS = (_HERE / WORKER, _HERE.parent / "child.py")
"""The file that an interpreter runs, and child.py, with which it calls scripts."""


class Launcher:
    """What the interpreters of a session have in common: a directory, an output, a wake-up call."""

    def __init__(self, directory: Path) -> None:
        """Take the session's directory. Raises OSError where it cannot be written."""
        self.directory = directory
        for file in _OURS:
            # Read through the package's loader, as the package may be imported from a wheel.
            source = __loader__.get_data(str(file))  # type: ignore[name-defined]
            (directory / file.name).write_bytes(source)
        self.output = new_pipe()
        """Both ends of the pipe that interpreters write to."""
        woken, wake = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._woken, self._wake = os.fdopen(woken, "rb", 0), os.fdopen(wake, "wb", 0)
        self._ahead: tuple[tuple[str, ...], Interpreter] | None = None

    @property
    def closed(self) -> bool:
        """Whether it starts nothing any more."""
        return self._wake.closed

    def wake(self) -> None:
        """Wake whoever waits for an interpreter."""
        if not self.closed:
            self._wake.write(b"!")

    def start_ahead(self, argv: Sequence[str]) -> None:
        """Start the interpreter that `start` will return; where it cannot be, `start` says so."""
        with suppress(OSError):
            self._ahead = tuple(argv), self._started(argv)

    def start(self, argv: Sequence[str]) -> Interpreter:
        """Return an interpreter that gets ready. Raises OSError where it cannot be started."""
        if self._ahead and self._ahead[0] == tuple(argv):
            interpreter, self._ahead = self._ahead[1], None
            return interpreter
        return self._started(argv)

    def end_unused(self, grace_seconds: float) -> None:
        """End what was started ahead and got no script."""
        if self._ahead:
            self._ahead[1].end(grace_seconds)
            self._ahead = None

    def close(self) -> None:
        """Wake nobody any more. Whoever reads the output closes that."""
        self._wake.close()
        self._woken.close()

    def _started(self, argv: Sequence[str]) -> Interpreter:
        return Interpreter(argv, self.directory, self.output[1], self._woken.fileno())
