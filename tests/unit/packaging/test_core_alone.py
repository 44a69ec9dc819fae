"""The core without this checkout: from its wheel, on a Python that has nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from job_execution_framework.domain import events
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import Script, Source
from job_execution_framework.domain.steps import Open
from job_execution_framework.service_layer.library import ScriptLibrary
from job_execution_framework.service_layer.plan import Plan
from job_execution_framework.service_layer.records import End, from_log

ROOT = Path(__file__).parents[3]
USAGE = """
from job_execution_framework.service_layer.services import add, execute
from job_execution_framework.service_layer.unit_of_work import InMemoryJobUnitOfWork
uow = InMemoryJobUnitOfWork()
job_id = add([("example_script", {"arg1": "hello"})], job_uow=uow)
execute(job_id=job_id, job_uow=uow)
print(uow.jobs.get(job_id).state)
"""


def pythons(*versions: str) -> list[str]:
    """Return the interpreters of these versions that are really there."""
    found: list[str] = []
    for version in versions:
        for place in (f"python{version}", *_pyenv(version)):
            path = shutil.which(place)
            works = path and subprocess.run(
                [path, "-c", "import json"], capture_output=True, check=False
            )
            if path and works and works.returncode == 0:
                found.append(path)
                break
    return found


def _pyenv(version: str) -> list[str]:
    return [str(p) for p in Path.home().glob(f".pyenv/versions/{version}.*/bin/python")]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the core's wheel, as it would be published."""
    folder = tmp_path_factory.mktemp("wheel")
    command = ["uv", "build", "--quiet", "--wheel", "--package", "job-execution-framework"]
    uv = shutil.which("uv") or str(ROOT / ".cache/uv/bin/uv")
    subprocess.run([uv, *command[1:], "--out-dir", str(folder)], cwd=ROOT, check=True)
    return next(folder.glob("*.whl"))


@pytest.mark.parametrize("python", [sys.executable, *pythons("3.10", "3.12", "3.13")])
def test_the_wheel_runs_a_job_with_nothing_else_installed(wheel: Path, python: str) -> None:
    ran = subprocess.run(
        [python, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(wheel)!r}){USAGE}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.splitlines() == ["hello ", "Succeeded"]


@pytest.mark.parametrize("python", [sys.executable, *pythons("3.10", "3.13")])
def test_the_supervisor_needs_nothing_but_the_wheel(
    wheel: Path, tmp_path: Path, python: str
) -> None:
    job = Job("job", (Script("hello", Source("def main(): print('hello')", "hello.py")),))
    job.record(events.JobAdded(at=0))
    job.record(events.JobStarted(at=0))
    step = job.next(0)
    assert isinstance(step, Open)
    plan, directory = tmp_path / "plan.json", tmp_path / "session"
    plan.write_text(Plan.of(job, step, ScriptLibrary([])).to_json())
    directory.mkdir()
    program = (
        f"import sys; sys.path.insert(0, {str(wheel)!r})\n"
        "from job_execution_framework.runtime.supervisor import main\n"
        "sys.exit(main(*sys.argv[1:]))"
    )

    ran = subprocess.run(
        [python, "-I", "-S", "-c", program, str(plan), str(directory)],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"]},
    )

    assert ran.stdout == "--- hello, attempt 1\nhello\n"
    records = from_log((directory / "journal").read_bytes())
    kinds = [type(record) for record in records]
    assert kinds == [events.ScriptStarted, events.ScriptSucceeded, End]


def test_importing_the_core_brings_in_nothing_but_the_standard_library() -> None:
    code = (
        "import sys; before = set(sys.modules)\n"
        "import job_execution_framework.service_layer.services\n"
        "import job_execution_framework.runtime.supervisor\n"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(sorted(new - sys.stdlib_module_names))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "['job_execution_framework']"
