"""`enso run FILE -p`: a template in a file, and the resume of its run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.templates import template
from tests.support.workstation import Workstation

NOTE = """\
import os
def main(shot, disk="full"):
    if disk == "full":
        raise OSError(f"no space left for {shot}")
    with open(os.environ["NOTES"], "a") as file:
        file.write(f"{shot}\\n")
"""
ARGS = {"shot": "$(params.shot)", "disk": "$(params.disk)"}
DOCUMENT = template(
    {"name": "save", "source": NOTE, "args": ARGS},
    parameters=[
        {"name": "shot", "type": "string", "required": True},
        {"name": "disk", "type": "string", "default": "full"},
        {"name": "old", "type": "string"},
    ],
)


@pytest.fixture
def workstation(tmp_path: Path) -> Workstation:
    workstation = Workstation(tmp_path)
    workstation.manifest.write_text(json.dumps(DOCUMENT))
    return workstation


def test_a_resume_has_the_parameters_of_its_run(workstation: Workstation) -> None:
    code, said = workstation.run("-p", "shot=010")
    assert code == 1
    assert "OSError: no space left for 010" in said
    assert "spec.parameters[old] is used nowhere in spec.job" in said
    code, said = workstation.run("--resume", "-p", "disk=empty")
    assert (code, workstation.notes) == (0, ["010"]), said
    code, said = workstation.run("--resume")
    assert "nothing is left to do" in said, said


def test_parameters_are_refused_before_anything_runs(workstation: Workstation) -> None:
    code, said = workstation.run("-p", "shto=010")
    assert code == 2
    assert "parameter.shot is missing: it takes a string" in said
    assert "parameter.shto is nothing that template publish takes: did you mean 'shot'?" in said
    assert workstation.run("-p", "shot")[1].endswith("-p shot: write it as NAME=VALUE\n")
    assert "given twice" in workstation.run("-p", "shot=1", "-p", "shot=2")[1]
    assert not workstation.journal_lines()
