"""`enso run` and its sessions under SIGKILL, at every step of a job of three scripts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

DEADLINE_SECONDS = 60
NAMES = ("open", "do", "save")
SCRIPT = """\
import os, time

def main(starts):
    with open(starts, "a") as file:
        file.write(os.environ["ENSO_SCRIPT"] + " " + os.environ["ENSO_ATTEMPT"] + "\\n")
    time.sleep(0.15)
"""


@dataclass
class Desk:
    """A person's machine: a manifest, and what `enso run` keeps."""

    root: Path

    @property
    def starts(self) -> list[str]:
        file = self.root / "starts"
        return file.read_text().splitlines() if file.exists() else []

    @property
    def sessions(self) -> list[Path]:
        return sorted(self.root.glob("state/enso/*/*/sessions/*"))

    def records(self) -> int:
        """Count what all sessions have recorded so far."""
        return sum(path.read_bytes().count(b"\n") for path in self.root.glob("state/**/journal"))

    def write(self) -> None:
        scripts = [
            {"name": name, "source": SCRIPT, "args": {"starts": str(self.root / "starts")}}
            for name in NAMES
        ]
        manifest = {
            "apiVersion": "enso.dev/v1alpha1",
            "kind": "EnsoJob",
            "metadata": {"name": "three"},
            "spec": {"scripts": scripts},
        }
        (self.root / "three.json").write_text(json.dumps(manifest))

    def start(self, *options: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "enso_operator", "run", str(self.root / "three.json"), *options],
            env=os.environ
            | {"PYTHONDONTWRITEBYTECODE": "", "XDG_STATE_HOME": str(self.root / "state")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *options: str) -> tuple[int, str]:
        process = self.start(*options)
        said, _ = process.communicate(timeout=DEADLINE_SECONDS)
        return process.returncode, said


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.write()
    return desk


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.002)


def supervisors(desk: Desk) -> list[int]:
    """Return the supervisors of the desk's sessions."""
    found: list[int] = []
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = command.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"job_execution_framework.runtime" in words and str(desk.root).encode() in words[-2]:
            found.append(int(command.parent.name))
    return found


# The coordinator's journal and the session's together: added, started, opened, and six records of
# scripts in both; the end.
@pytest.mark.parametrize("records", range(0, 17, 2))
def test_enso_run_is_killed_and_its_session_goes_on(desk: Desk, records: int) -> None:
    process = desk.start()
    until(lambda: desk.records() >= records or process.poll() is not None)
    process.kill()
    process.communicate()

    code, said = desk.run("--resume")

    if not desk.sessions and "never run" in said:
        return  # it was killed before it had written down that there is a job
    assert code == 0, said
    assert desk.starts == ["open 1", "do 1", "save 1"]


@pytest.mark.parametrize("records", range(3, 17, 2))
def test_a_supervisor_is_killed_and_the_doubt_is_said(desk: Desk, records: int) -> None:
    process = desk.start()
    until(lambda: (desk.records() >= records and supervisors(desk)) or process.poll() is not None)
    for pid in supervisors(desk):
        os.kill(pid, signal.SIGKILL)
    said, _ = process.communicate(timeout=DEADLINE_SECONDS)
    if process.returncode == 0:
        assert desk.starts == ["open 1", "do 1", "save 1"]
        return  # it was killed after its last word
    assert process.returncode == 1, said
    assert "interrupted" in said or "did not start" in said
    first = list(desk.starts)

    code, said = desk.run("--resume")

    assert code == 0, said
    assert [line.split()[0] for line in desk.starts[len(first) :]] == list(NAMES)
    assert len(set(desk.starts)) == len(desk.starts), "an attempt was started twice"


def test_two_resumes_at_once_drive_one_session(desk: Desk) -> None:
    process = desk.start()
    until(lambda: desk.starts)
    process.kill()
    process.communicate()

    pair = [desk.start("--resume"), desk.start("--resume")]
    said = [one.communicate(timeout=DEADLINE_SECONDS)[0] for one in pair]

    assert sorted(one.returncode for one in pair) == [0, 2], said
    assert desk.starts == ["open 1", "do 1", "save 1"]


def test_an_interrupt_ends_the_script_and_a_resume_goes_on(desk: Desk) -> None:
    process = desk.start()
    until(lambda: len(desk.starts) == 2)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 1, said
    assert "cancelled" in said
    assert "--resume" in said
    assert not supervisors(desk)

    code, said = desk.run("--resume")

    assert code == 0, said
    assert desk.starts[-3:] == ["open 2", "do 2", "save 1"]
