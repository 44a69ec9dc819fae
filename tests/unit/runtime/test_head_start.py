"""The interpreter of a session starts while its supervisor loads, and only where it may."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from job_execution_framework.domain.control import PAUSE
from job_execution_framework.domain.events import ScriptFailed
from job_execution_framework.domain.fail_on import FailOn
from job_execution_framework.domain.script import Script, Session, Source
from job_execution_framework.domain.secret import Secret
from job_execution_framework.runtime.child_runner import ChildRunner
from job_execution_framework.runtime.head_start import head_start
from job_execution_framework.runtime.launcher import Launcher
from job_execution_framework.runtime.supervisor import CONTROL
from job_execution_framework.service_layer import controls
from job_execution_framework.service_layer.plan_head import USUAL_INTERPRETER
from job_execution_framework.service_layer.records import End
from tests.support.eventually import until
from tests.support.running import is_alive
from tests.support.supervised import supervised

NOTES = """
env > "$STARTS.$$"
echo "licence of $STARTS"
exec "$PYTHON" "$@"
"""
"""An interpreter that leaves a file for each of its starts, with its environment."""
SESSION = Session(interpreter=("sh", "-c", NOTES, "sh"))
PASSES = Source("def main(**_): pass")


class Starts:
    def __init__(self, folder: Path) -> None:
        self.folder, self.run = folder, folder / "run"
        self.run.mkdir()
        self.environment = {"STARTS": str(folder / "start"), "PYTHON": sys.executable}

    def of(self, *scripts: Script) -> tuple[list[str], str]:
        """Run a session; return the environment of each start of its interpreter, and output."""
        self.records, output = supervised(self.run, *scripts, session=SESSION, **self.environment)
        return [file.read_text() for file in self.folder.glob("start.*")], output.decode()


def test_the_scripts_of_a_session_share_what_was_started_ahead(tmp_path: Path) -> None:
    session = Starts(tmp_path)
    starts, output = session.of(Script("open", PASSES), Script("save", PASSES))
    assert len(starts) == 1
    names = [type(record).__name__ for record in session.records]
    assert names == [*["ScriptStarted", "ScriptSucceeded"] * 2, "End"]
    said = f"licence of {tmp_path / 'start'}\n"
    assert output == f"--- open, attempt 1\n{said}--- save, attempt 1\n"


def test_what_it_says_before_the_first_script_is_looked_through(tmp_path: Path) -> None:
    session = Starts(tmp_path)
    session.of(Script("open", PASSES, fail_on=(FailOn("licence of", "NoLicence"),)))
    failed = session.records[1]
    assert isinstance(failed, ScriptFailed)
    assert failed.cause.reason == "NoLicence"


def test_it_gets_no_secret_of_a_script(tmp_path: Path) -> None:
    secrets = {"token": Secret("hunter2"), "deep": [{"key": Secret("xyzzy")}]}
    starts, _ = Starts(tmp_path).of(Script("open", PASSES, secrets))
    assert len(starts) == 1
    assert not [secret for secret in ("hunter2", "xyzzy", "ENSO_SECRET") if secret in starts[0]]


def test_a_session_that_is_paused_before_it_begins_starts_none(tmp_path: Path) -> None:
    session = Starts(tmp_path)
    (session.run / CONTROL).write_text(controls.to_json(PAUSE))
    assert session.of(Script("open", PASSES)) == ([], "")
    assert session.records == [End()]


def test_one_that_gets_no_script_is_ended(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    argv = ("sh", "-c", f'echo $$ > {file}; exec {sys.executable} "$@"', "sh")
    launcher = Launcher(tmp_path)
    launcher.start_ahead(argv)
    runner = ChildRunner(launcher, argv, 60, 0.3)
    until(lambda: file.exists() and file.read_text())
    assert runner.close() == []
    until(lambda: not is_alive(int(file.read_text())))


def test_the_usual_interpreter_is_that_of_a_session() -> None:
    assert Session().interpreter == USUAL_INTERPRETER


def test_a_plan_that_cannot_be_read_starts_none(tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    for text in ("", "[]", "{}", '{"session": 1}', '{"session": {}}', "[" * 100_000):
        plan.write_text(text)
        assert head_start(plan, tmp_path, tmp_path / CONTROL) is None


def test_it_begins_before_the_rest_is_loaded() -> None:
    code = "import sys, job_execution_framework.runtime.supervisor; print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert "job_execution_framework.runtime.head_start" in told.stdout.split()
    assert not {"dataclasses", "job_execution_framework.domain.job"} & {*told.stdout.split()}
