"""A job goes on past a script that may fail: `onFailure: Continue`, with `enso run`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.workstation import Workstation

NOTE = """\
import os

def note(text):
    with open(os.environ["NOTES"], "a") as file:
        file.write(text + "\\n")

"""
OPEN = NOTE + "def main():\n    note('open')\n"
RENDER = NOTE + (
    "def main():\n"
    "    note('render')\n"
    "    assert os.path.exists(os.environ['NOTES'] + '.go'), 'no render'\n"
)
HANG = NOTE + "import time\ndef main():\n    note('hang')\n    time.sleep(60)\n"
SAVE = NOTE + "def main():\n    note('save')\n"


def scripts() -> list[dict[str, Any]]:
    return [
        {"name": "open", "source": OPEN},
        {"name": "render", "source": RENDER, "onFailure": "Continue"},
        {"name": "hang", "source": HANG, "onFailure": "Continue", "timeoutSeconds": 3},
        {"name": "save", "source": SAVE, "checkpoint": True},
    ]


def test_the_job_fails_at_its_end_and_a_resume_runs_what_failed(tmp_path: Path) -> None:
    workstation = Workstation(tmp_path)
    workstation.write(scripts())
    code, said = workstation.run()
    assert code == 1
    assert workstation.notes == ["open", "render", "hang", "open", "save"]  # in a fresh interpreter
    assert "render (2 of 4), attempt 1, failed" in said
    assert "also    hang: Timeout: ran longer than 3 s" in said

    changed = scripts()
    changed[2]["source"] = SAVE
    workstation.write(changed)
    (tmp_path / "notes.go").touch()
    code, said = workstation.run("--resume")
    assert code == 0, said
    assert workstation.notes[5:] == ["open", "render", "save"]
