"""Ratios of what the framework costs, each against a reference measured in the same run.

Machines are noisy and differ: no absolute time means anything here. ``make bench`` runs this.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from benchmarks import operating, pages, people, pods, status_writes, tenants
from benchmarks.table import python, show, timed
from job_execution_framework.domain.script import Script, Source
from job_execution_framework.runtime.child_runner import ChildRunner
from job_execution_framework.runtime.launcher import Launcher
from job_execution_framework.service_layer.library import PATH_VARIABLE
from job_execution_framework.service_layer.services import Instruction, add, execute
from job_execution_framework.service_layer.unit_of_work import InMemoryJobUnitOfWork

NO_OP = "def main():\n    pass\n"


def main() -> None:
    """Print a line for each ratio."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # users import what is compiled
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for measure in (import_of_the_core, thousand_scripts, warm_script, fifty_scripts):
            measure(folder)
        operating.measure(folder)
        pages.measure(folder)
        status_writes.measure(folder)
        pods.measure(folder)
        tenants.measure(folder)
        people.measure(folder)  # it may fail: last, so that all else is measured


def import_of_the_core(folder: Path) -> None:
    """Importing the core, against a bare interpreter."""
    del folder
    services = "import job_execution_framework.service_layer.services"
    show(
        "import of the core / a bare interpreter",
        lambda: timed(python, "-c", services),
        lambda: timed(python, "-c", "pass"),
    )


def thousand_scripts(folder: Path) -> None:
    """A job of 1,000 no-op scripts in this process, against the same functions in a loop."""
    (folder / "no_op.py").write_text(NO_OP)
    os.environ[PATH_VARIABLE] = str(folder)

    def job() -> float:
        uow = InMemoryJobUnitOfWork()
        instruction: Instruction = ("no_op", {})
        job_id = add([instruction] * 1000, job_uow=uow)
        return timed(execute, job_id, job_uow=uow)

    def loop() -> float:
        began = time.perf_counter()
        for _ in range(1000):
            space: dict[str, Callable[[], None]] = {}
            exec(compile(NO_OP, "no_op.py", "exec"), space)  # noqa: S102  # our own two lines
            space["main"]()
        return time.perf_counter() - began

    def calls() -> float:
        began = time.perf_counter()
        for _ in range(1000):
            no_op()
        return time.perf_counter() - began

    show("execute of 1,000 no-op scripts / a loop that compiles and calls each", job, loop)
    show("execute of 1,000 no-op scripts / a loop that only calls them", job, calls)


def no_op() -> None:
    """Do what the scripts of these benchmarks do."""


def warm_script(folder: Path) -> None:
    """A no-op script in a running session, against a fresh interpreter that does nothing."""
    script = Script("no-op", Source(NO_OP, "no_op.py"))
    directory = folder / "warm"
    directory.mkdir()
    runner = ChildRunner(Launcher(directory), [sys.executable], 60)
    with closing(runner):
        show(
            "a warm script in a session / python -c pass",
            lambda: timed(runner.run, script, 1),
            lambda: timed(python, "-c", "pass"),
        )


def fifty_scripts(folder: Path) -> None:
    """``enso run`` of 50 no-op scripts, with its journal, against 50 fresh interpreters."""
    manifest = folder / "fifty.json"
    (folder / "no_op.py").write_text(NO_OP)
    manifest.write_text(json.dumps({"instructions": [["no_op", {}]] * 50}))
    os.environ |= {"XDG_STATE_HOME": str(folder / "state"), PATH_VARIABLE: str(folder)}

    def fifty() -> None:
        for _ in range(50):
            python("-c", "pass")

    show(
        "enso run of 50 scripts / 50 times python -c pass",
        lambda: timed(python, "-m", "enso_operator", "run", str(manifest)),
        lambda: timed(fifty),
    )


if __name__ == "__main__":
    main()
