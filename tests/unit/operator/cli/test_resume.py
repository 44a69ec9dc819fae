"""A resume uses the folder and scripts of the run, and the file as it is now."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.eventually import until
from tests.support.workstation import Workstation

NOTE = """\
import os

def note(text):
    with open(os.environ["NOTES"], "a") as file:
        file.write(text + "\\n")

"""
READ = NOTE + "def main():\n    note(open('shot.txt').read())\n"
FAIL = NOTE + "def main(ok):\n    assert ok == 'yes', ok\n    note('publish')\n"
LOAD = NOTE + "def main(shot):\n    note('load ' + shot)\n"
SIM = NOTE + "def main():\n    note('sim')\n"
WAIT = NOTE + (
    "import pathlib, time\n"
    "def main():\n"
    "    note('waits')\n"
    "    while not pathlib.Path(os.environ['NOTES'] + '.go').exists(): time.sleep(0.01)\n"
)


@pytest.fixture
def workstation(tmp_path: Path) -> Workstation:
    return Workstation(tmp_path)


def publish(ok: str, shot: str = "010") -> list[dict[str, Any]]:
    return [
        {"name": "load", "source": LOAD, "args": {"shot": shot}, "setup": True},
        {"name": "sim", "source": SIM, "checkpoint": True},
        {"name": "publish", "source": FAIL, "args": {"ok": ok}},
    ]


def change(workstation: Workstation, script: int, **fields: object) -> None:
    """Change one script in the file."""
    document = json.loads(workstation.manifest.read_text())
    document["spec"]["scripts"][script] |= fields
    workstation.manifest.write_text(json.dumps(document))


# What a kept checkpoint was made from.


def test_a_checkpoint_is_not_published_with_other_inputs(workstation: Workstation) -> None:
    workstation.write(publish("no"))
    assert workstation.run()[0] == 1
    workstation.write(publish("yes", shot="020"))
    code, said = workstation.run("--resume")
    assert code == 2
    assert (
        "args.shot of script 'load' was changed, but 'sim', a checkpoint that is kept, was made "
        "with it as it was: undo the change, or run it from the start, without --resume"
    ) in said
    assert workstation.notes == ["load 010", "sim"]


def test_an_interpreter_that_made_a_checkpoint_stays(workstation: Workstation) -> None:
    workstation.write(publish("no"))
    assert workstation.run()[0] == 1
    workstation.write(publish("yes"), sessions=[{"name": "main", "interpreter": ["python3", "-u"]}])
    code, said = workstation.run("--resume")
    assert code == 2
    assert "interpreter of session 'main' was changed, but 'sim'" in said


def test_a_script_of_the_library_that_made_a_checkpoint_stays(workstation: Workstation) -> None:
    library = workstation.root / "studio"
    library.mkdir()
    library.joinpath("load.py").write_text("def main(): pass")
    library.joinpath("sim.py").write_text("def main(): pass")
    workstation.environment["ENSO_SCRIPTS_PATH"] = str(library)
    scripts = publish("no")
    scripts[0] = {"name": "load", "scriptRef": {"name": "load"}, "setup": True}
    scripts[1] = {"name": "sim", "scriptRef": {"name": "sim"}, "checkpoint": True}
    workstation.write(scripts)
    assert workstation.run()[0] == 1
    change(workstation, 2, args={"ok": "yes"})
    library.joinpath("load.py").write_text("def main(): print('other')")
    code, said = workstation.run("--resume")
    assert code == 2
    assert "scriptRef of script 'load' was changed, but 'sim'" in said
    # A script that is done may change, or go: it does not run again.
    library.joinpath("load.py").write_text("def main(): pass")
    library.joinpath("sim.py").unlink()
    code, said = workstation.run("--resume")
    assert code == 0, said
    assert workstation.notes == ["publish"]


def test_what_was_changed_is_said_before_anything_runs(workstation: Workstation) -> None:
    workstation.write(publish("no"))
    workstation.run()
    workstation.write(publish("yes"), activeDeadlineSeconds=60)
    change(workstation, 0, timeoutSeconds=9)
    code, said = workstation.run("--resume")
    assert code == 0, said
    assert said.splitlines()[:3] == [
        "changed since the last run: load.timeoutSeconds, publish.args.ok, activeDeadlineSeconds",
        "resuming job: runs load (setup), publish",
        "kept as it is: sim",
    ]


# Where it began.


def in_folders(workstation: Workstation) -> tuple[Path, Path]:
    """A job that reads a file of its own folder, and another folder that has such a file, too."""
    here, there = workstation.root / "a", workstation.root / "b"
    for folder, shot in ((here, "010"), (there, "020")):
        folder.mkdir()
        (folder / "shot.txt").write_text(shot)
    scripts = [{"name": "read", "source": READ}, {"name": "publish", "source": FAIL}]
    workstation.write([scripts[0], scripts[1] | {"args": {"ok": "no"}}])
    workstation.manifest.rename(here / "rel.json")
    return here, there


def test_a_resume_from_elsewhere_goes_on_in_the_folder_of_its_run(workstation: Workstation) -> None:
    here, there = in_folders(workstation)
    assert workstation.run(file="rel.json", folder=here)[0] == 1
    code, said = workstation.run("--resume", file="../a/rel.json", folder=there)
    assert code == 1
    assert f"in {here}, where it began, not in {there}" in said
    assert workstation.notes == ["010", "010"]
    assert "enso run ../a/rel.json --resume" in said


def test_a_run_whose_folder_is_gone_is_not_resumed_elsewhere(workstation: Workstation) -> None:
    here, there = in_folders(workstation)
    third = workstation.root / "c"
    shutil.copytree(there, third)
    assert workstation.run(file="../a/rel.json", folder=third)[0] == 1
    shutil.rmtree(third)
    code, said = workstation.run("--resume", file="rel.json", folder=here)
    assert code == 2
    assert f"the folder {third}, in which job began, cannot be entered" in said
    assert workstation.notes == ["020"]


def test_a_resume_finds_scripts_where_its_run_did(workstation: Workstation) -> None:
    for name, ok in (("studio", "no"), ("other", "yes")):
        (workstation.root / name).mkdir()
        (workstation.root / name / "publish.py").write_text(
            f"{FAIL}\ndef main(): assert {ok!r} == 'yes'"
        )
    workstation.write([{"name": "publish", "scriptRef": {"name": "publish"}}])
    workstation.environment["ENSO_SCRIPTS_PATH"] = str(workstation.root / "studio")
    assert workstation.run()[0] == 1
    workstation.environment["ENSO_SCRIPTS_PATH"] = str(workstation.root / "other")
    code, said = workstation.run("--resume")
    assert code == 1
    assert f"with ENSO_SCRIPTS_PATH as it was then, '{workstation.root}/studio'" in said
    (workstation.root / "studio" / "publish.py").write_text("def main(): pass")
    code, said = workstation.run("--resume")
    assert code == 0, said
    assert "changed since the last run: publish.scriptRef" in said


# A file that changed, moved, or is none any more.


@pytest.mark.parametrize(
    ("script", "fields", "differs"),
    [
        (2, {"args": {"ok": "yes!"}}, "changed are publish.args.ok"),
        (1, {"checkpoint": False}, "changed are sim.checkpoint"),
        (1, {"name": "other"}, "script other was added and sim was removed"),
    ],
)
def test_a_success_is_no_success_of_another_file(
    workstation: Workstation, script: int, fields: dict[str, object], differs: str
) -> None:
    workstation.write(publish("yes"))
    assert workstation.run()[0] == 0
    change(workstation, script, **fields)
    code, said = workstation.run("--resume")
    assert code == 2
    assert "job has succeeded, and nothing of it is left to do" in said
    assert differs in said


def test_a_longer_file_is_not_what_has_succeeded(workstation: Workstation) -> None:
    workstation.write(publish("yes"))
    assert workstation.run()[0] == 0
    workstation.write([*publish("yes"), {"name": "more", "source": SIM}])
    code, said = workstation.run("--resume")
    assert code == 2
    assert "script more was added" in said


def test_a_link_that_moved_on_is_still_the_job(workstation: Workstation) -> None:
    workstation.write(publish("no"))
    first = workstation.manifest.rename(workstation.root / "v1.json")
    workstation.manifest.symlink_to(first)
    assert workstation.run()[0] == 1
    workstation.manifest.unlink()
    workstation.write(publish("yes"))
    second = workstation.manifest.rename(workstation.root / "v2.json")
    workstation.manifest.symlink_to(second)
    code, said = workstation.run("--resume")
    assert code == 0, said
    assert "changed since the last run: publish.args.ok" in said
    assert workstation.notes == ["load 010", "sim", "load 010", "publish"]


def test_a_file_and_a_link_to_it_are_one_job(workstation: Workstation) -> None:
    workstation.write(publish("no"))
    link = workstation.root / "link.json"
    link.symlink_to(workstation.manifest)
    assert workstation.run()[0] == 1
    assert "resuming job" in workstation.run("--resume", file=link)[1]
    assert "resuming job" in workstation.run("--resume")[1]


@pytest.mark.parametrize("slip", ["{", "", None], ids=["broken", "empty", "gone"])
def test_a_job_that_runs_is_attached_to_whatever_its_file_is(
    workstation: Workstation, slip: str | None
) -> None:
    workstation.write([{"name": "wait", "source": WAIT}])
    process = workstation.start()
    until(lambda: workstation.notes)
    process.kill()
    process.communicate()
    if slip is None:
        workstation.manifest.unlink()
    else:
        workstation.manifest.write_text(slip)
    (workstation.root / "notes.go").touch()
    code, said = workstation.run("--resume")
    assert code == 0, said
    assert "job has not ended" in said
    assert workstation.notes == ["waits"]
    # It has ended: now the file counts.
    code, said = workstation.run("--resume")
    assert code == 2
    assert str(workstation.manifest) in said


# Starting afresh.


def test_a_run_afresh_says_that_the_last_one_could_be_resumed(workstation: Workstation) -> None:
    workstation.write(publish("no"))
    assert "starting afresh" not in workstation.run()[1]
    _, said = workstation.run()
    assert said.splitlines()[0] == (
        f"starting afresh: the last run failed, and `enso run {workstation.manifest} --resume` "
        "would have gone on with load (setup), publish"
    )
    # Neither after a success, nor where a resume would be refused.
    workstation.write(publish("yes", shot="020"))
    assert "starting afresh" not in workstation.run()[1]
    assert "starting afresh" not in workstation.run()[1]
