"""What `enso run` knows of a file before anything of it starts, with the line in the file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from enso_operator.cli.preflight import preflight
from enso_operator.manifests.load import load
from enso_operator.manifests.yaml_reader import LineNumbers
from tests.support.workstation import Workstation

HEAD = """\
apiVersion: enso.dev/v1alpha1
kind: EnsoJob
metadata: {name: job}
spec:
"""
SCRIPTS = """\
  scripts:
    - name: open
      scriptRef: {name: open_scene}
    - name: do
      source: |

        def main(frames):
            x = (1,
    - name: save
      source: |
        def main(disk):
            pass
      args:
        dsk: full
"""


@pytest.fixture
def workstation(tmp_path: Path) -> Workstation:
    workstation = Workstation(tmp_path)
    library = tmp_path / "studio"
    library.mkdir()
    library.joinpath("open_scene.py").write_text("def main():\n    return 1 +\n")
    workstation.environment["ENSO_SCRIPTS_PATH"] = str(library)
    return workstation


def test_all_that_cannot_work_is_told_at_once_with_its_line(workstation: Workstation) -> None:
    file = workstation.root / "job.yaml"
    file.write_text(HEAD + SCRIPTS)
    code, said = workstation.run(file=file)
    assert code == 2
    assert said.removeprefix("enso: ").splitlines() == [
        (
            f"{file}: line 7: spec.scripts[open].scriptRef: {workstation.root}/studio/open_scene.py"
            ", line 2, does not compile: invalid syntax: return 1 +"
        ),
        f"{file}: line 12: spec.scripts[do].source does not compile: '(' was never closed: x = (1,",
        f"{file}: line 17: spec.scripts[save].args.disk is missing: it takes any value",
        (
            f"{file}: line 18: spec.scripts[save].args.dsk is nothing that save takes: did you "
            "mean 'disk'?"
        ),
    ]
    assert not list(workstation.root.glob("state/enso/*/*"))


def test_a_newer_interpreter_may_know_better(workstation: Workstation) -> None:
    hython = workstation.root / "hython"
    hython.write_text('#!/bin/sh\nexec python3 "$@"\n')
    hython.chmod(0o755)
    file = workstation.root / "job.yaml"
    session = f"  sessions: [{{name: houdini, interpreter: [{hython}]}}]\n"
    good = "  scripts:\n    - name: first\n      source: 'def main(): pass'\n"
    fits = SCRIPTS.removeprefix("  scripts:\n").replace("dsk:", "disk:")
    file.write_text(HEAD + session + good + fits)
    code, said = workstation.run(file=file)
    assert code == 1
    lines = said.splitlines()
    assert [line.partition(" spec.")[0] for line in lines[:2]] == [
        f"warning: {file}: line {number}:" for number in (10, 15)
    ]
    assert "1/4 first succeeded" in said
    assert "SyntaxError" in said


def test_no_interpreter_knows_better_about_arguments(workstation: Workstation) -> None:
    session = {"name": "main", "interpreter": ["/opt/hfs20.5/bin/hython"]}
    source = "def main(frames: int): pass"
    script = {"name": "simulate", "source": source, "args": {"frames": "240"}}
    workstation.write([script], sessions=[session])
    code, said = workstation.run()
    assert code == 2
    assert (
        'spec.scripts[simulate].args.frames is "240", a string, but takes an integer: write it '
        "without quotes"
    ) in said


@pytest.mark.parametrize(
    ("program", "says", "flags", "is_certain"),
    [
        ("python3", "Python 3.7.4", [], True),
        ("python3.7", "Python 3.7.4", ["-Bu", "-I"], True),
        ("python3", f"Python 3.{sys.version_info[1] + 1}.0", [], False),
        ("python3", "no version", [], False),
        ("python3", "Python 3.7.4", ["launcher.py"], False),
        ("hython", "Python 3.7.4", [], False),
    ],
)
def test_only_a_python_that_is_no_newer_knows_no_better(
    workstation: Workstation, program: str, says: str, flags: list[str], is_certain: bool
) -> None:
    file = workstation.root / program
    file.write_text(f"#!/bin/sh\necho {says}\n")
    file.chmod(0o755)
    session = {"name": "main", "interpreter": [str(file), *flags]}
    workstation.write([{"name": "a", "source": "def main(: pass"}], sessions=[session])
    described = load(workstation.manifest)
    works = {script.name: script.work for script in described.scripts}
    (finding,) = preflight(workstation.manifest, described, described.scripts, works)
    assert finding.is_certain == is_certain


def test_a_resume_looks_only_at_what_will_run(workstation: Workstation) -> None:
    scripts: list[dict[str, Any]] = [
        {"name": "load", "source": "def main(): pass", "checkpoint": True},
        {"name": "save", "source": "def main(ok): assert ok", "args": {"ok": False}},
    ]
    workstation.write(scripts)
    assert workstation.run()[0] == 1
    scripts[1] |= {"args": {"okay": True}}
    workstation.write(scripts)
    code, said = workstation.run("--resume")
    assert code == 2
    assert "spec.scripts[save].args.ok is missing: it takes any value" in said
    code, said = workstation.run("--resume", "--set", "save.ok=true", "--set", "save.oh=1")
    assert code == 2
    assert "spec.scripts[save].args.okay is nothing that save takes: did you mean 'ok'?" in said
    assert "spec.scripts[save].args.oh is nothing that save takes: " in said
    scripts[1] |= {"args": {"ok": True}}
    workstation.write(scripts)
    assert workstation.run("--resume")[0] == 0


def test_an_example_job_has_its_places_too(workstation: Workstation) -> None:
    workstation.manifest.write_text(
        json.dumps({"instructions": [["open_scene", {}], ["nothing", {}]]})
    )
    code, said = workstation.run()
    assert code == 2
    assert (
        f"instructions[0] {workstation.root}/studio/open_scene.py, line 2, does not compile" in said
    )
    assert "instructions[1] there is no script 'nothing' in the library" in said


def test_lines_of_what_is_written_otherwise() -> None:
    text = (
        "a: &x\n"  # 1
        "  b: >\n"
        "    folded\n"
        "    text\n"
        "  c: [1,\n"  # 5
        "    2]\n"
        "d: *x\n"
        "e:\n"
        "  <<: *x\n"
        '  f: "one\\ntwo"\n'  # 10
        "  g: |-\n"
        "    one\n"
        "      two\n"
    )
    lines = LineNumbers(text)
    assert lines.of("a", "b") == 2
    assert lines.of("a", "c", 1) == 6
    assert lines.of("d", "c") == 5
    assert lines.of("e", "c") == 8  # merged: the nearest that is there
    assert lines.of("e", "f", "x") == 10
    assert lines.of("z") is None
    assert lines.within(2, "e", "g") == 13
    assert lines.within(3, "e", "g") is None
    assert lines.within(2, "a", "b") is None
    assert lines.within(1, "e", "f") is None
