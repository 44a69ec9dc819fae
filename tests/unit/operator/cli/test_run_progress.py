"""Progress as `enso run` shows it: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

import pytest

from enso_operator.cli.said_progress import SaidProgress
from tests.support.workstation import Workstation
from tests.unit.operator.cli.test_run_output import read_all

FLOOD = """\
import enso, os, time
def main():
    print("before")
    for number in range(2000):
        enso.progress(number / 20, f"frame {number}")
    print("openjd_progress: nan")
    print("after", flush=True)
    enso.progress(42.5, "meshing")
    while not os.path.exists(os.environ["NOTES"]): time.sleep(0.05)
"""
"""It ends when its progress was seen: a file is there then."""

OWN = ["  | before", "  | openjd_progress: nan", "  | after"]


@pytest.fixture
def workstation(tmp_path: Path) -> Workstation:
    workstation = Workstation(tmp_path)
    workstation.write([{"name": "one", "source": FLOOD}])
    return workstation


def test_a_flood_of_progress_is_no_flood_of_lines_and_the_log_has_all(
    workstation: Workstation,
) -> None:
    said = ""
    with workstation.start() as process:
        assert process.stdout
        for line in process.stdout:
            said += line
            if "frame" in line or "meshing" in line:
                (workstation.root / "notes").touch()
    assert process.returncode == 0, said
    lines = [line for line in said.splitlines() if line.startswith("  | ")]
    own = [
        line for line in lines if line in ("  | before", "  | openjd_progress: nan", "  | after")
    ]
    assert own == ["  | before", "  | openjd_progress: nan", "  | after"]
    assert len(lines) <= len(own) + 2
    log = next(workstation.root.rglob("output.log")).read_text()
    assert log.count("openjd_progress: ") == 2002
    assert log.count("openjd_status: frame ") == 2000


def test_on_a_terminal_it_is_a_bar_beside_the_running_time(workstation: Workstation) -> None:
    ours, theirs = pty.openpty()
    workstation.environment |= {"TERM": "xterm", "COLUMNS": "120", "PYTHONIOENCODING": "utf-8"}
    process = workstation.start(stdout=theirs, stderr=subprocess.STDOUT)
    os.close(theirs)
    seen = bytearray()
    while b"42.5% meshing" not in seen:
        seen += os.read(ours, 65536)
    (workstation.root / "notes").touch()
    text = (seen + read_all(ours)).decode()
    assert process.wait(60) == 0
    assert "━" * 8 + "─" * 12 + " 42.5% meshing" in text
    assert "openjd_progress: 42.5" not in text
    assert text.count("frame 19") <= 40


def test_on_a_terminal_it_says_that_a_retry_is_waited_for(workstation: Workstation) -> None:
    fails = {"name": "one", "source": "def main(): 1 / 0"}
    workstation.write([{**fails, "retries": {"limit": 1, "backoffSeconds": 3}}])
    ours, theirs = pty.openpty()
    workstation.environment |= {"TERM": "xterm", "COLUMNS": "120", "PYTHONIOENCODING": "utf-8"}
    process = workstation.start(stdout=theirs, stderr=subprocess.STDOUT)
    os.close(theirs)
    text = read_all(ours).decode()
    assert process.wait(60) == 1
    between = text.partition("retrying")[2].partition("started (attempt 2)")[0]
    assert "1/1 one waits for its retry" in between
    assert "1/1 one running" not in between.partition("waits")[2]


def test_a_bar_is_drawn_with_what_the_terminal_has() -> None:
    said = SaidProgress()
    assert said.bar(is_ascii=True) == ""
    assert said.take("openjd_status: only a text")
    assert said.bar(is_ascii=True) == "only a text"
    assert said.take("openjd_progress: 50")
    assert said.bar(is_ascii=True) == "##########---------- 50% only a text"
    assert said.news() == "50% only a text"
    assert said.news() == ""
    for line in ("openjd_progress: x", "openjd_fail: no", "anything"):
        assert not said.take(line)
    said.clear()
    assert said.bar(is_ascii=False) == said.news() == ""
