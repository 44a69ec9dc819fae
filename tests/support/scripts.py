"""Runs scripts in a real interpreter, with helpers that many tests use."""

from __future__ import annotations

import os
import shutil
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

from job_execution_framework.domain.cause import Cause
from job_execution_framework.domain.script import Function, Script, Source
from job_execution_framework.runtime.child_runner import ChildRunner
from job_execution_framework.service_layer.runner import Result
from tests.support.eventually import until

HANGS_SECONDS = 2
"""A time-out within which a script comes to the line at which it hangs, on a busy machine, too."""
GOOD = """\
import builtins, enso, json, os, sys

def main(word):
    assert print is builtins.print and len("abc") == 3 and os.getcwd() == os.environ["START"]
    assert "LEFT" not in os.environ and json.loads(json.dumps([1])) == [1]
    print(word)
    print(word, file=sys.stderr)
    enso.shared["good"] = enso.shared.get("good", 0) + 1
    return {"word": word, "good": enso.shared["good"], "stdin": sys.stdin.read()}
"""


@dataclass
class Scripts:
    """Runs sources as scripts of one session."""

    runner: ChildRunner
    directory: Path

    def run(
        self, source: str, name: str = "bad", timeout: float | None = None, **parameters: object
    ) -> Result:
        """Run the source as the script `name`."""
        work = Source(textwrap.dedent(source))
        script = Script(name, work, parameters, timeout_seconds=timeout)
        self.runner.announce(script, 1)
        return self.runner.run(script, 1)

    def fails(
        self, source: str, name: str = "bad", timeout: float | None = None, **parameters: object
    ) -> Cause:
        """Run the source, which must fail, and return why it did."""
        cause = self.run(source, name, timeout, **parameters).cause
        assert cause, "it succeeded"
        return cause

    def call(self, reference: str, **parameters: object) -> Result:
        """Call a function that the interpreter has."""
        return self.runner.run(Script("call", Function(reference), parameters), 1)

    def good(self, times: int = 1) -> None:
        """Run a script that checks its environment: everything is as before, for the n-th time."""
        result = self.run(GOOD, "good", word="fine")
        assert result.cause is None, result.cause
        assert result.output == {"word": "fine", "good": times, "stdin": ""}


def pid_in(file: Path) -> int:
    """Wait for a process id that somebody writes into the file."""
    until(lambda: file.exists() and file.read_text().endswith("\n"))
    return int(file.read_text())


def skip_without(program: str | Path) -> None:
    """Skip a test where a program is missing; in CI this is a failure."""
    if shutil.which(program) is None:
        assert not os.environ.get("CI"), f"{program} is missing"
        pytest.skip(f"{program} is not on this machine")
