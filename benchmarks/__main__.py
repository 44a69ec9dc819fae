"""Ratios of what the framework costs, each against a reference measured in the same run.

Machines are noisy and differ: no absolute time means anything here. ``make bench`` runs this;
``python -m benchmarks pods`` measures one of the SECTIONS.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

from benchmarks import operating, pages, people, pods, status_writes, tenants, versus
from benchmarks.table import python, show, timed
from job_execution_framework.domain.script import Script, Source
from job_execution_framework.runtime.child_runner import ChildRunner
from job_execution_framework.runtime.launcher import Launcher
from job_execution_framework.service_layer.library import PATH_VARIABLE
from job_execution_framework.service_layer.services import Instruction, add, execute
from job_execution_framework.service_layer.unit_of_work import InMemoryJobUnitOfWork

NO_OP = "def main():\n    pass\n"


def main() -> None:
    """Print a line for each ratio; fail at the end where some are beyond their bounds."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # users import what is compiled
    given = _parser().parse_args()
    missed: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        for measure in _chosen(given):
            try:
                measure(Path(name))
            except AssertionError as error:  # told at the end, so that all else is measured
                missed.append(str(error))
    if missed:
        sys.exit("\n".join(["Beyond their bounds:", *missed]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    names = ", ".join(SECTIONS)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"{names}; all if none")
    parser.add_argument("--busy", action="store_true", help="pods beside `stress-ng --cpu 4`")
    checkout = "only pods, beside the operator and runtime of another checkout (`make install`)"
    parser.add_argument("--vs", type=Path, metavar="CHECKOUT", help=checkout)
    return parser


def _chosen(given: argparse.Namespace) -> list[Callable[[Path], None]]:
    if given.vs:
        return [partial(versus.measure, checkout=given.vs)]
    if unknown := {*given.sections} - {*SECTIONS}:
        sys.exit(f"There is no section {', '.join(sorted(unknown))}: {', '.join(SECTIONS)}")
    chosen = SECTIONS | ({"pods": partial(pods.measure, is_busy=True)} if given.busy else {})
    return [chosen[name] for name in given.sections or chosen]


def plain_python(folder: Path) -> None:
    """Print what needs no cluster."""
    for measure in (import_of_the_core, thousand_scripts, warm_script, fifty_scripts):
        measure(folder)


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


SECTIONS: dict[str, Callable[[Path], None]] = {
    "python": plain_python,
    "operating": operating.measure,
    "pages": pages.measure,
    "status_writes": status_writes.measure,
    "pods": pods.measure,
    "tenants": tenants.measure,
    "people": people.measure,
}

if __name__ == "__main__":
    main()
