"""What a person sees of `enso run`: what failed and why, what a resume runs, what it refuses."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.eventually import until
from tests.support.workstation import Workstation

NOTE = """\
import enso, os

def note(text):
    with open(os.environ["NOTES"], "a") as file:
        file.write(text + "\\n")

"""
OPEN = NOTE + "def main():\n    enso.shared['scene'] = []\n    note('open')\n"
DO = NOTE + "def main():\n    enso.shared['scene'].append('modified')\n    note('do')\n"
SAVE = (
    NOTE
    + """\
def main(disk):
    note("save " + " ".join(enso.shared["scene"]))
    if disk == "full":
        raise OSError("no space left for " + disk)
"""
)


@pytest.fixture
def workstation(tmp_path: Path) -> Workstation:
    return Workstation(tmp_path)


def scene(disk: str, **do: object) -> list[dict[str, Any]]:
    return [
        {"name": "open", "source": OPEN, "setup": bool(do)},
        {"name": "do", "source": DO, **do},
        {"name": "save", "source": SAVE, "args": {"disk": disk}},
    ]


def test_a_failure_says_which_script_with_what_and_why(workstation: Workstation) -> None:
    workstation.write(scene("full"))
    code, said = workstation.run()
    assert code == 1
    for line in (
        "3/3 save started: disk=full",
        "job failed: 2 of 3 scripts done",
        "  save (3 of 3), attempt 1, failed after ",
        "    OSError: no space left for full",
        '  at      save, line 10 in main: raise OSError("no space left for " + disk)',
        "  args    disk=full",
        f"  resume  enso run {workstation.manifest} --resume",
        "          runs open (again), do (again), save",
    ):
        assert line in said, said
    assert "Traceback" not in said.replace("  | Traceback", "")  # the script's own is its own


def test_an_unmodified_scene_cannot_be_saved(workstation: Workstation) -> None:
    workstation.write(scene("full"))
    workstation.run()
    workstation.write(scene("free"))
    code, said = workstation.run("--resume")
    assert code == 0, said
    assert "resuming job: runs open (again), do (again), save" in said
    assert workstation.notes == ["open", "do", "save modified", "open", "do", "save modified"]


def test_what_is_on_disk_is_not_done_twice(workstation: Workstation) -> None:
    do = NOTE + "def main():\n    open(os.environ['NOTES'] + '.cache', 'w')\n    note('do')\n"
    load = (
        NOTE
        + "def main():\n"
        + "    cached = os.path.exists(os.environ['NOTES'] + '.cache')\n"
        + "    enso.shared['scene'] = ['cached'] if cached else []\n"
        + "    note('open')\n"
    )

    def scripts(disk: str) -> list[dict[str, Any]]:
        return [
            {"name": "open", "source": load, "setup": True},
            {"name": "do", "source": do, "checkpoint": True},
            {"name": "save", "source": SAVE, "args": {"disk": disk}},
        ]

    workstation.write(scripts("full"))
    assert workstation.run()[0] == 1
    workstation.write(scripts("free"))
    code, said = workstation.run("--resume")
    assert code == 0, said
    assert "runs open (setup), save" in said
    assert "kept as it is: do" in said
    assert workstation.notes == ["open", "do", "save ", "open", "save cached"]


def test_a_change_to_what_does_not_run_again_is_refused(workstation: Workstation) -> None:
    workstation.write(scene("full", checkpoint=True))
    workstation.run()
    workstation.write(scene("free", checkpoint=True, timeoutSeconds=5))
    code, said = workstation.run("--resume")
    assert code == 2
    assert "timeoutSeconds of script 'do' was changed" in said
    assert workstation.notes.count("open") == 1


def test_scripts_cannot_be_added_between_a_run_and_its_resume(workstation: Workstation) -> None:
    workstation.write(scene("full"))
    workstation.run()
    workstation.write([*scene("free"), {"name": "more", "source": OPEN}])
    code, said = workstation.run("--resume")
    assert code == 2
    assert "script more was added: undo the change, or run it from the start" in said


def test_a_new_checkpoint_vouches_for_no_new_source(workstation: Workstation) -> None:
    failing = scene("full")
    workstation.write(failing)
    workstation.run()
    failing[1] |= {"checkpoint": True, "source": DO + "    note('never')\n"}
    workstation.write(failing)
    code, said = workstation.run("--resume")
    assert code == 2
    assert "of script 'do' was changed" in said


def test_an_interpreter_may_be_corrected_before_a_resume(workstation: Workstation) -> None:
    sessions = [{"name": "houdini", "interpreter": ["no-such-hython"]}]
    workstation.write(scene("free"), sessions=sessions)
    assert workstation.run()[0] == 1
    workstation.write(scene("free"), sessions=[{"name": "houdini", "interpreter": ["python3"]}])
    code, said = workstation.run("--resume")
    assert code == 0, said


@pytest.mark.parametrize("journal", [b"", b'{"v":1,"type":"JobAd', b"garbage\n"])
def test_a_damaged_journal_never_stops_a_fresh_run(
    workstation: Workstation, journal: bytes
) -> None:
    workstation.write(scene("full"))
    workstation.run()
    next(workstation.root.glob("state/enso/*/1/journal")).write_bytes(journal)
    code, said = workstation.run("--resume")
    assert code == 2, said
    assert "Traceback" not in said
    assert "journal" in said or "never run before" in said
    assert workstation.run()[0] == 1


def test_after_attaching_the_output_is_shown_and_what_runs_is_named(
    workstation: Workstation,
) -> None:
    slow = NOTE + (
        "import time\n"
        "def main():\n"
        "    print('tick')\n"
        "    note('slow')\n"
        "    while not os.path.exists(os.environ['NOTES'] + '.go'): time.sleep(0.01)\n"
        "    print('tock')\n"
    )
    workstation.write(
        [{"name": "slow", "source": slow}, {"name": "last", "source": "def main(): print('bye')"}]
    )
    process = workstation.start()
    until(lambda: workstation.notes and workstation.journal_lines() >= 5)
    process.kill()
    process.communicate()
    said = ""
    with workstation.start("--resume") as process:
        assert process.stdout
        for line in process.stdout:
            said += line
            if "1/2 slow running since" in line:
                (workstation.root / "notes.go").touch()
    assert process.returncode == 0, said
    for line in ("  | tick", "  | tock", "  | bye"):
        assert line in said, said


def test_nobody_who_reads_is_no_reason_to_stop(workstation: Workstation) -> None:
    workstation.write(scene("free"))
    process = workstation.start()
    assert process.stdout
    process.stdout.close()
    assert process.wait(60) == 0
    assert workstation.notes == ["open", "do", "save modified"]


def test_a_library_scripts_failure_names_its_own_file(workstation: Workstation) -> None:
    file = workstation.root / "publish_shot.py"
    file.write_text("def main():\n    1 / 0\n")
    workstation.environment["ENSO_SCRIPTS_PATH"] = str(workstation.root)
    workstation.write([{"name": "publish", "scriptRef": {"name": "publish_shot"}}])
    _, said = workstation.run()
    assert f"at      {file}, line 2 in main: 1 / 0" in said


def test_a_job_that_succeeded_has_nothing_to_resume(workstation: Workstation) -> None:
    workstation.write(scene("free"))
    assert workstation.run()[0] == 0
    code, said = workstation.run("--resume")
    assert (code, said) == (0, "job has succeeded: nothing is left to do\n")


def test_without_a_run_there_is_nothing_to_resume(workstation: Workstation) -> None:
    workstation.write(scene("free"))
    code, said = workstation.run("--resume")
    assert code == 2
    assert "was never run before" in said


def test_a_job_that_still_runs_is_not_started_again(workstation: Workstation) -> None:
    slow = NOTE + "import time\ndef main():\n    note('slow')\n    time.sleep(60)\n"
    workstation.write([{"name": "slow", "source": slow}])
    process = workstation.start()
    until(lambda: workstation.notes)
    code, said = workstation.run()
    process.terminate()
    process.communicate()
    assert code == 2
    assert "another `enso run` drives job right now" in said


def test_a_script_that_is_not_in_the_library_is_known_before_anything_starts(
    workstation: Workstation,
) -> None:
    workstation.write([*scene("free"), {"name": "render", "scriptRef": {"name": "exampel_script"}}])
    code, said = workstation.run()
    assert code == 2
    assert "there is no script 'exampel_script'" in said
    assert "did you mean 'example_script'?" in said
    assert workstation.notes == []


def test_scripts_come_from_the_folders_of_the_library(workstation: Workstation) -> None:
    (workstation.root / "studio").mkdir()
    (workstation.root / "studio" / "open_scene.py").write_text(
        "def main(path): print('opened', path)"
    )
    workstation.environment["ENSO_SCRIPTS_PATH"] = str(workstation.root / "studio")
    scripts = [{"name": "open", "scriptRef": {"name": "open-scene"}, "args": {"path": "/a.hip"}}]
    workstation.write(scripts)
    code, said = workstation.run()
    assert code == 0, said
    assert "  | opened /a.hip" in said


def test_a_manifest_with_a_mistake_is_one_sentence(workstation: Workstation) -> None:
    workstation.write([{"name": "open", "sorce": "def main(): pass"}])
    code, said = workstation.run()
    assert code == 2
    assert "sorce" in said
    assert "source" in said
    assert "Traceback" not in said


def test_a_retry_after_a_crash_replays_what_lived_in_memory(workstation: Workstation) -> None:
    crash = (
        NOTE
        + "import os\n"
        + "def main():\n"
        + "    note('crash ' + str(len(enso.shared['scene'])))\n"
        + "    if os.environ['ENSO_ATTEMPT'] == '1': os.abort()\n"
    )
    workstation.write(
        [
            {"name": "open", "source": OPEN},
            {"name": "do", "source": DO},
            {"name": "crash", "source": crash, "retries": {"limit": 1}},
        ]
    )
    code, said = workstation.run()
    assert code == 0, said
    assert workstation.notes == ["open", "do", "crash 1", "open", "do", "crash 1"]


def test_the_interpreter_is_the_manifests_own(workstation: Workstation) -> None:
    wrapper = workstation.root / "hython"
    wrapper.write_text(f'#!/bin/sh\nHYTHON=yes "{shutil.which("python3")}" "$@"\n')
    wrapper.chmod(0o755)
    source = NOTE + "def main(): note(os.environ['HYTHON'])\n"
    workstation.write(
        [{"name": "ask", "source": source}],
        sessions=[{"name": "houdini", "interpreter": [str(wrapper)]}],
    )
    code, said = workstation.run()
    assert code == 0, said
    assert workstation.notes == ["yes"]


def test_an_interpreter_that_is_not_there_is_said(workstation: Workstation) -> None:
    workstation.write(
        [{"name": "open", "source": OPEN}],
        sessions=[{"name": "houdini", "interpreter": ["hython"]}],
    )
    code, said = workstation.run()
    assert code == 1
    assert "InterpreterDidNotStart" in said
    assert "hython is not on PATH" in said


def test_a_state_folder_that_cannot_be_had_is_one_sentence(workstation: Workstation) -> None:
    workstation.write(scene("free"))
    (workstation.root / "state").write_text("a file where a folder has to be")
    code, said = workstation.run()
    assert code == 2
    assert "cannot be kept" in said
    assert "Traceback" not in said


def test_what_a_script_leaves_running_is_waited_for_and_what_was_killed_is_named(
    workstation: Workstation,
) -> None:
    upload = (
        NOTE
        + """import threading, time
def upload(seconds):
    time.sleep(seconds)
    note("uploaded")
def main(seconds):
    threading.Thread(target=upload, args=(seconds,), name="upload").start()
"""
    )
    workstation.write(
        [
            {"name": "quick", "session": "a", "source": upload, "args": {"seconds": 2}},
            {"name": "stuck", "session": "b", "source": upload, "args": {"seconds": 600}},
        ],
        sessions=[{"name": "a"}, {"name": "b", "endTimeoutSeconds": 1}],
    )
    code, said = workstation.run()
    assert code == 0, said
    assert workstation.notes == ["uploaded"]
    assert "session a-1" not in said
    assert "session b-1: had to kill what its scripts left running: thread upload at line" in said
    assert said.index("had to kill") < said.index("job succeeded")
