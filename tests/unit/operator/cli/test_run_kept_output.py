"""`enso run` of a job whose session has an outputDirectory: each attempt leaves a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.workstation import Workstation

OPEN = {"name": "open", "source": "def main(): print('opened')"}
SAVE = {"name": "save", "source": "import os\ndef main(): os.stat(os.environ['DISK'])"}


@pytest.fixture
def workstation(tmp_path: Path) -> Workstation:
    return Workstation(tmp_path, {"DISK": str(tmp_path / "disk")})


def test_a_failure_names_the_file_and_a_resume_adds_others(workstation: Workstation) -> None:
    kept = workstation.root / "kept"
    workstation.write([OPEN, SAVE], sessions=[{"name": "main", "outputDirectory": str(kept)}])
    code, said = workstation.run()
    assert code == 1, said
    assert f"\n  output  {kept}/job/02-save.1.log\n" in said
    assert "only a cluster uses" not in said
    before = {file.name: file.read_bytes() for file in (kept / "job").iterdir()}
    assert b"FileNotFoundError" in before["02-save.1.log"]
    (workstation.root / "disk").touch()
    code, said = workstation.run("--resume")
    assert code == 0, said
    after = {file.name: file.read_bytes() for file in (kept / "job").iterdir()}
    added = {"01-open.2.log", "02-save.2.log"}
    assert after.keys() == {"01-open.1.log", "02-save.1.log"} | added
    assert {name: text for name, text in after.items() if name not in added} == before


def test_a_disk_that_takes_nothing_is_told_and_fails_nothing(workstation: Workstation) -> None:
    disk = workstation.root / "disk"
    disk.touch()
    workstation.write([OPEN, SAVE], sessions=[{"name": "main", "outputDirectory": str(disk)}])
    code, said = workstation.run()
    assert code == 0, said
    assert f"its output was not kept: {disk}/job/01-open.1.log: File exists" in said
