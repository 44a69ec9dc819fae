"""Finally scripts with `enso run`: after each end, with its outcome, and outside of what ran."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.support.eventually import until
from tests.support.workstation import Workstation

NOTE = """\
import enso, os, pathlib, time

GO = pathlib.Path(os.environ["NOTES"] + ".go")

def note(text):
    with open(os.environ["NOTES"], "a") as file:
        file.write(text + "\\n")

"""
SAVE = NOTE + (
    "def main():\n    note('save ' + repr(enso.job.state))\n    assert GO.exists(), 'no go'\n"
)
WAIT = NOTE + (
    "def main():\n"
    "    note('waits')\n"
    "    while not GO.exists(): time.sleep(0.01)\n"
    "    note('went')\n"
)
CLEAN = NOTE + (
    "def main(**_):\n"
    "    job = enso.job\n"
    "    note(f'clean {job.state} {job.failed_script} {job.reason} {os.getpid()}')\n"
)
TELL = NOTE + "def main():\n    note('tell')\n    assert GO.exists(), 'nobody there'\n"


@pytest.fixture
def workstation(tmp_path: Path) -> Workstation:
    return Workstation(tmp_path)


def final(name: str, source: str, **more: object) -> dict[str, Any]:
    return {"name": name, "source": source, **more}


def test_they_run_after_a_failure_and_again_after_the_end_of_a_resume(
    workstation: Workstation,
) -> None:
    scripts = [{"name": "save", "source": SAVE}]
    finals = [final("clean", CLEAN), final("party", CLEAN, when="Succeeded")]
    workstation.write(scripts, **{"finally": finals})
    code, said = workstation.run()
    assert code == 1
    assert [note.rpartition(" ")[0] for note in workstation.notes] == [
        "save",
        "clean Failed save Exception",
    ]
    assert "finally 1/2 clean succeeded" in said
    assert "save (1 of 1), attempt 1, failed" in said

    (workstation.root / "notes.go").touch()
    code, said = workstation.run("--resume")
    assert code == 0, said
    assert "at its end: clean, party" in said
    ran = [note.split() for note in workstation.notes[2:]]
    assert [note[:2] for note in ran] == [
        ["save", "''"],
        ["clean", "Succeeded"],
        ["clean", "Succeeded"],
    ]
    assert ran[1][-1] == ran[2][-1], "both run in one interpreter"


def test_one_that_fails_makes_the_job_fail(workstation: Workstation) -> None:
    scripts = [{"name": "save", "source": NOTE + "def main(): note('save')\n"}]
    finals = [final("tell", TELL), final("clean", CLEAN)]
    workstation.write(scripts, **{"finally": finals})
    code, said = workstation.run()
    assert code == 1
    assert [note.split()[0] for note in workstation.notes] == ["save", "tell", "clean"]
    assert "tell (finally, 1 of 2), attempt 1, failed" in said
    assert "AssertionError: nobody there" in said

    (workstation.root / "notes.go").touch()
    code, said = workstation.run("--resume")
    assert code == 0, said
    assert [note.split()[0] for note in workstation.notes[3:]] == ["tell", "clean"]


def test_ctrl_c_ends_the_script_and_a_second_one_what_cleans_up(workstation: Workstation) -> None:
    scripts = [{"name": "save", "source": WAIT}]
    workstation.write(scripts, **{"finally": [final("clean", WAIT), final("tell", TELL)]})
    process = workstation.start()
    until(lambda: workstation.notes == ["waits"])
    os.kill(process.pid, signal.SIGINT)
    until(lambda: workstation.notes == ["waits", "waits"])
    os.kill(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert workstation.notes == ["waits", "waits"]
    assert "job was cancelled" in said


def test_killed_in_between_it_goes_on_with_what_cleans_up(workstation: Workstation) -> None:
    scripts = [{"name": "save", "source": SAVE}]
    finals = [final("clean", WAIT), final("tell", NOTE + "def main(): note('tell')\n")]
    workstation.write(scripts, **{"finally": finals})
    process = workstation.start()
    until(lambda: workstation.notes == ["save ''", "waits"])
    process.kill()
    process.communicate()
    (workstation.root / "notes.go").touch()
    code, said = workstation.run("--resume")
    assert code == 1, said
    assert workstation.notes == ["save ''", "waits", "went", "tell"]
    assert workstation.run("--resume")[0] == 0


def test_they_are_checked_before_anything_starts(workstation: Workstation) -> None:
    scripts = [{"name": "save", "source": SAVE}]
    workstation.write(scripts, **{"finally": [final("clean", "def main(:")]})
    code, said = workstation.run()
    assert code == 2
    assert "spec.finally[clean].source" in said
    assert workstation.notes == []


BAKE = (
    NOTE
    + "def main():\n    note('bake')\n    assert GO.exists(), 'no go'\n    return {'path': '/fx'}\n"
)
REMOVE = NOTE + "def main(path):\n    note(f'remove {path}')\n"


def test_one_is_given_the_output_of_a_script_and_fails_where_there_is_none(
    workstation: Workstation,
) -> None:
    of_bake = {"name": "path", "outputOf": {"script": "bake", "key": "path"}}
    finals = [
        final("remove", REMOVE, argsFrom=[of_bake]),
        final("clean", CLEAN),
    ]
    workstation.write([{"name": "bake", "source": BAKE}], **{"finally": finals})
    code, said = workstation.run()
    assert code == 1
    assert [note.split()[:3] for note in workstation.notes] == [
        ["bake"],
        ["clean", "Failed", "bake"],
    ]
    assert "bake (1 of 1), attempt 1, failed" in said
    assert "also    remove: NoOutput" in said

    (workstation.root / "notes.go").touch()
    code, said = workstation.run("--resume")
    assert code == 0, said
    assert [note.split()[:2] for note in workstation.notes[2:]] == [
        ["bake"],
        ["remove", "/fx"],
        ["clean", "Succeeded"],
    ]
