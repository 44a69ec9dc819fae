"""The port to whatever runs a script and returns its result; `services.execute` calls it.

Its adapters are `in_process` and `runtime.child_runner`. Both pass the same contract tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from job_execution_framework.domain.cause import Cause
from job_execution_framework.domain.control import SessionControl
from job_execution_framework.domain.final import JobEnd
from job_execution_framework.domain.script import Script


@dataclass(frozen=True)
class Result:
    """How one attempt went: without a `cause` it succeeded."""

    seconds: float = 0
    cause: Cause | None = None
    output: object = None
    """What ``main`` returned, as JSON."""
    interpreter_lost: bool = False
    """Whether the interpreter ended, and the memory of the scripts with it."""
    output_ends: int | None = None
    """How many bytes of output there were when it had ended; None where nobody counts them."""
    output_lost: str = ""
    """Why not all of its output is in the file that its session keeps; empty where it is."""
    interrupted: bool = False
    """Whether Ctrl-C ended the attempt, so that this process has to stop."""


class Runner(Protocol):
    """Starts scripts, one after the other. A script that fails is a Result, never an exception."""

    @property
    def control(self) -> SessionControl:
        """The control of the session as it is now: asked for right before each start."""
        ...

    def check(self, scripts: Sequence[Script]) -> None:
        """Raise InvalidJob, with a sentence, where this runner cannot do what a script asks."""
        ...

    def announce(self, script: Script, attempt: int) -> int | None:
        """Write into the output that an attempt begins; return how many bytes there are then.

        None where nobody counts them.
        """
        ...

    def job_ended(self, end: JobEnd) -> None:
        """Let the scripts that run from now on find out how the end of their job was decided."""
        ...

    def run(self, script: Script, attempt: int) -> Result:
        """Run one attempt to its end."""
        ...
