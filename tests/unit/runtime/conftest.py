from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from job_execution_framework.runtime.child_runner import ChildRunner
from job_execution_framework.runtime.launcher import Launcher
from tests.support.scripts import Scripts

Start = Callable[..., Scripts]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Return what makes a session, whose interpreter ends with the test."""
    monkeypatch.setenv("START", str(Path.cwd()))
    with ExitStack() as sessions:

        def start(
            argv: Sequence[str] = (sys.executable,),
            *,
            grace: float = 0.3,
            limit: float = 20,
            end: float = 0.3,
        ) -> Scripts:
            runner = ChildRunner(Launcher(tmp_path), argv, limit, grace, "job-1", end)
            sessions.callback(runner.close)
            return Scripts(runner, tmp_path)

        yield start


@pytest.fixture
def scripts(start: Start) -> Scripts:
    return start()
