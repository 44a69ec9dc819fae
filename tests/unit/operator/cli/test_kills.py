"""`enso run` and its sessions under SIGKILL, at every step of a job of three scripts."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.support.workstation import DEADLINE_SECONDS, Workstation, until

NAMES = ("open", "do", "save")
SCRIPT = """\
import os, time

def main():
    with open(os.environ["NOTES"], "a") as file:
        file.write(os.environ["ENSO_SCRIPT"] + " " + os.environ["ENSO_ATTEMPT"] + "\\n")
    time.sleep(0.1)
"""
ONCE = ["open 1", "do 1", "save 1"]
# Added, started, opened; six records of scripts and an end in the session's journal; the six again,
# the session's end and the job's in the job's own.
LINES = 18


@pytest.fixture
def desk(tmp_path: Path) -> Workstation:
    desk = Workstation(tmp_path)
    desk.write([{"name": name, "source": SCRIPT} for name in NAMES])
    return desk


@pytest.mark.parametrize("lines", range(0, LINES, 2))
def test_enso_run_is_killed_and_its_session_goes_on(desk: Workstation, lines: int) -> None:
    process = desk.start()
    until(lambda: desk.journal_lines() >= lines or process.poll() is not None)
    process.kill()
    process.communicate()

    code, said = desk.run("--resume")

    if lines == 0 and "never run" in said:
        return  # it was killed before it had written down that there is a job
    assert code == 0, said
    assert desk.notes == ONCE


@pytest.mark.parametrize("lines", range(3, LINES, 2))
def test_a_supervisor_is_killed_and_the_doubt_is_said(desk: Workstation, lines: int) -> None:
    process = desk.start()
    until(
        lambda: (desk.journal_lines() >= lines and desk.supervisors()) or process.poll() is not None
    )
    for pid in desk.supervisors():
        os.kill(pid, signal.SIGKILL)
    said, _ = process.communicate(timeout=DEADLINE_SECONDS)
    if process.returncode == 0:
        assert desk.notes == ONCE
        return  # it was killed after its last word
    assert process.returncode == 1, said
    assert "interrupted" in said or "did not start" in said
    first = len(desk.notes)

    code, said = desk.run("--resume")

    assert code == 0, said
    assert [note.split()[0] for note in desk.notes[first:]] == list(NAMES)
    assert len(set(desk.notes)) == len(desk.notes), "an attempt was started twice"


def test_two_resumes_at_once_drive_one_session(desk: Workstation) -> None:
    process = desk.start()
    until(lambda: desk.notes)
    process.kill()
    process.communicate()

    pair = [desk.start("--resume"), desk.start("--resume")]
    said = [one.communicate(timeout=DEADLINE_SECONDS)[0] for one in pair]

    # The slower one is refused, or comes when all is done.
    assert sorted(one.returncode for one in pair) in ([0, 0], [0, 2]), said
    assert desk.notes == ONCE


def test_an_interrupt_ends_the_script_and_a_resume_goes_on(desk: Workstation) -> None:
    process = desk.start()
    until(lambda: len(desk.notes) == 2)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 1, said
    assert "cancelled" in said
    assert "--resume" in said
    assert not desk.supervisors()

    code, said = desk.run("--resume")

    assert code == 0, said
    assert [note.split()[0] for note in desk.notes[-3:]] == list(NAMES)
    assert len(set(desk.notes)) == len(desk.notes), "an attempt was started twice"
