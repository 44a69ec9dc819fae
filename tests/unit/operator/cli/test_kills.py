"""`enso run` and its sessions under SIGKILL, at every step of a job of three scripts."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from tests.support.eventually import until
from tests.support.workstation import DEADLINE_SECONDS, Workstation

NAMES = ("open", "do", "save")
SCRIPT = """\
import os, time

def main():
    with open(os.environ["NOTES"], "a") as file:
        file.write(os.environ["ENSO_SCRIPT"] + " " + os.environ["ENSO_ATTEMPT"] + "\\n")
    time.sleep(0.1)
"""
LASTS_AT_FIRST = """\
    if os.environ["ENSO_ATTEMPT"] == "1":
        time.sleep(600)
"""
ONCE = ["open 1", "do 1", "save 1"]
# Added, started, opened; six records of scripts and an end in the session's journal; the six again,
# the session's end and the job's in the job's own.
LINES = 18

at_once = partial(until, longest_pause=0.002)
"""Each script takes a tenth of a second: whoever looks later finds another one."""


@pytest.fixture
def workstation(tmp_path: Path) -> Workstation:
    workstation = Workstation(tmp_path)
    workstation.write([{"name": name, "source": SCRIPT} for name in NAMES])
    return workstation


@pytest.mark.parametrize("lines", range(0, LINES, 2))
def test_enso_run_is_killed_and_its_session_goes_on(workstation: Workstation, lines: int) -> None:
    process = workstation.start()
    at_once(lambda: workstation.journal_lines() >= lines or process.poll() is not None)
    process.kill()
    process.communicate()

    code, said = workstation.run("--resume")

    if lines == 0 and "never run" in said:
        return  # it was killed before it had recorded the job
    assert code == 0, said
    assert workstation.notes == ONCE


@pytest.mark.parametrize("lines", range(3, LINES, 2))
def test_a_supervisor_is_killed_and_the_doubt_is_said(workstation: Workstation, lines: int) -> None:
    process = workstation.start()
    at_once(
        lambda: (
            (workstation.journal_lines() >= lines and workstation.supervisors())
            or process.poll() is not None
        )
    )
    for pid in workstation.supervisors():
        with suppress(ProcessLookupError):  # it has just ended by itself
            os.kill(pid, signal.SIGKILL)
    said, _ = process.communicate(timeout=DEADLINE_SECONDS)
    if process.returncode == 0:
        assert workstation.notes == ONCE
        return  # it was killed after its last record
    assert process.returncode == 1, said
    assert "interrupted" in said or "did not start" in said
    first = len(workstation.notes)

    code, said = workstation.run("--resume")

    assert code == 0, said
    assert [note.split()[0] for note in workstation.notes[first:]] == list(NAMES)
    assert len(set(workstation.notes)) == len(workstation.notes), "an attempt was started twice"


def test_two_resumes_at_once_drive_one_session(workstation: Workstation) -> None:
    process = workstation.start()
    at_once(lambda: workstation.notes)
    process.kill()
    process.communicate()

    pair = [workstation.start("--resume"), workstation.start("--resume")]
    said = [process.communicate(timeout=DEADLINE_SECONDS)[0] for process in pair]

    # The slower one is refused, or comes when all is done.
    assert sorted(process.returncode for process in pair) in ([0, 0], [0, 2]), said
    assert workstation.notes == ONCE


def test_an_interrupt_ends_the_script_and_a_resume_goes_on(workstation: Workstation) -> None:
    lasts = {"name": "do", "source": SCRIPT + LASTS_AT_FIRST}
    scripts = [{"name": name, "source": SCRIPT} for name in NAMES]
    workstation.write([lasts if script["name"] == "do" else script for script in scripts])
    process = workstation.start()
    until(lambda: len(workstation.notes) == 2)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 1, said
    assert "cancelled" in said
    assert "--resume" in said
    assert not workstation.supervisors()

    code, said = workstation.run("--resume")

    assert code == 0, said
    assert [note.split()[0] for note in workstation.notes[-3:]] == list(NAMES)
    assert len(set(workstation.notes)) == len(workstation.notes), "an attempt was started twice"
