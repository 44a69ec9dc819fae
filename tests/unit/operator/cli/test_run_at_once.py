"""Two people, or two tasks of a farm, begin with one file at the same moment: one runs it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import sys
from collections.abc import Sequence
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from tests.support.eventually import until
from tests.support.processes import processes
from tests.support.workstation import DEADLINE_SECONDS, Workstation

WAITS_AND_FAILS = """\
import os, pathlib, time

def main():
    with open(os.environ["NOTES"], "a") as file:
        file.write("runs\\n")
    while not pathlib.Path(os.environ["NOTES"] + ".go").exists():
        time.sleep(0.01)
    raise ValueError("no")
"""


def begin(file: Path, said: Path, resume: bool, together: Barrier) -> None:
    """Run one `enso run`, which begins when the other one does."""
    from enso_operator.cli.resume import ResumeOptions  # noqa: PLC0415  # the fork server has them
    from enso_operator.cli.resume import resume as go_on  # noqa: PLC0415
    from enso_operator.cli.run import run  # noqa: PLC0415

    root = file.parent
    os.environ |= {"XDG_STATE_HOME": str(root / "state"), "NOTES": str(root / "notes")}
    with said.open("w") as output, contextlib.redirect_stderr(output):
        together.wait(DEADLINE_SECONDS)
        code = go_on(file, ResumeOptions()) if resume else run(file)
    sys.exit(code)


@pytest.mark.parametrize(
    ("rounds", "resumes"),
    [(5, (False, False)), (2, (False, True)), (2, (True, True))],
    ids=["afresh", "one resumes", "both resume"],
)
def test_one_of_two_runs_and_the_other_says_why_it_does_not(
    tmp_path: Path, rounds: int, resumes: Sequence[bool]
) -> None:
    workstation = Workstation(tmp_path)
    workstation.write([{"name": "do", "source": WAITS_AND_FAILS}])
    go = tmp_path / "notes.go"
    go.touch()
    assert workstation.run()[0] == 1
    for _ in range(rounds):
        go.unlink()
        (tmp_path / "notes").unlink()
        together = processes.Barrier(2)
        said = [tmp_path / "said-0", tmp_path / "said-1"]
        both = [
            processes.Process(target=begin, args=(workstation.manifest, file, resume, together))
            for file, resume in zip(said, resumes, strict=True)
        ]
        for process in both:
            process.start()
        until(
            lambda: (
                len(multiprocessing.active_children()) < len(resumes) or len(workstation.notes) > 1
            )
        )
        go.touch()
        for process in both:
            process.join(DEADLINE_SECONDS)
        assert sorted(process.exitcode or 0 for process in both) == [1, 2]
        assert workstation.notes == ["runs"]
        refusal = said[[process.exitcode for process in both].index(2)].read_text()
        assert refusal == (
            "enso: another `enso run` drives job right now: wait for it, or end it\n"
        )
