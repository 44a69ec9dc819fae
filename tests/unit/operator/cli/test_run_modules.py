"""What scripts of `enso run` import: files beside them, and one another, also after a resume."""

from __future__ import annotations

from pathlib import Path

from tests.support.workstation import Workstation

OPEN = """\
import pickle

class Scene:
    def __init__(self, shot):
        self.shot = shot

def main(file):
    with open(file, "wb") as target:
        pickle.dump(Scene("010"), target)
"""
SAVE = """\
import os, pickle

def main(file):
    with open(file, "rb") as source:
        print("the shot is", pickle.load(source).shot)
    os.kill(os.getpid(), 0 if os.path.exists(file + ".fixed") else 9)
"""


def test_an_object_that_a_done_script_pickled_is_found_after_a_resume(tmp_path: Path) -> None:
    workstation, file = Workstation(tmp_path), tmp_path / "scene"
    args = {"file": str(file)}
    workstation.write(
        [
            {"name": "open", "source": OPEN, "args": args, "checkpoint": True},
            {"name": "save", "source": SAVE, "args": args},
        ]
    )
    code, said = workstation.run()
    assert code == 1
    assert "the shot is 010" in said
    (tmp_path / "scene.fixed").touch()
    code, said = workstation.run("--resume")
    assert code == 0, said
    assert "kept as it is: open" in said
    assert "the shot is 010" in said


def test_a_library_script_imports_the_file_beside_it(tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    (library / "beside.py").write_text("SHOT = '010'\n")
    (library / "tell.py").write_text("import beside\ndef main(): print('shot', beside.SHOT)\n")
    workstation = Workstation(tmp_path, {"ENSO_SCRIPTS_PATH": str(library)})
    workstation.write([{"name": "tell", "scriptRef": {"name": "tell"}}])
    code, said = workstation.run()
    assert code == 0, said
    assert "shot 010" in said
