"""`enso scripts` over files and over an API server in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import yaml

from enso_operator.api.document import Document
from enso_operator.api.v1alpha1 import EnsoScript
from enso_operator.cli.scripts import check, push, show
from enso_operator.cli.scripts.push import LABEL, Push
from enso_operator.kube.workstation.api_server import ApiServer
from enso_operator.kube.workstation.errors import Answered, NoSuchName
from job_execution_framework.service_layer.library import PATH_VARIABLE
from tests.support.snippets import snippet

OPEN_SCENE = '''
from pathlib import Path
from typing import Annotated, Literal

def main(
    scene: Annotated[Path, {"access": "read"}],
    frame: Annotated[int, {"minimum": 1}] = 1,
    quality: Literal["draft", "final"] = "draft",
    token: Annotated[str, {"secret": True}] = None,
):
    """Open a scene.

    Args:
        scene: The scene to open.
    """
'''


class Scripts:
    """The EnsoScripts of an API server, as far as `enso scripts` asks for them."""

    def __init__(self) -> None:
        self.access = SimpleNamespace(namespace="shows")
        self.stored: dict[str, Document] = {}
        self.refused: set[str] = set()

    def path(self, plural: str, name: str = "") -> str:
        return f"{plural}/{name}"

    def get(self, path: str) -> Document:
        if found := self.stored.get(path.partition("/")[2]):
            return deepcopy(found)
        raise NoSuchName("not found", 404)

    def pages(self, path: str, query: Mapping[str, str], accept: str = "") -> Iterator[Document]:
        assert path == "ensoscripts/"
        label = query.get("labelSelector", "").partition("=")[2]
        found = [
            script
            for script in self.stored.values()
            if not label or script["metadata"]["labels"][LABEL] == label
        ]
        rows = [
            {"cells": [script["metadata"]["name"], script["spec"].get("description"), "3h"]}
            for script in found
        ]
        yield {"rows": rows} if accept else {"items": found}

    def apply(self, path: str, document: Document, *, is_dry_run: bool = False) -> Document:
        name = document["metadata"]["name"]
        if name in self.refused:
            raise Answered("the API server answers 409: a conflict", 409)
        EnsoScript.model_validate({**document, "metadata": {"name": name}}, extra="forbid")
        after = {
            **deepcopy(document),
            "metadata": {"uid": f"uid-of-{name}", **document["metadata"]},
        }
        if not is_dry_run:
            self.stored[path.partition("/")[2]] = after
        return after

    def delete(self, path: str, *, uid: str) -> None:
        name = path.partition("/")[2]
        assert self.stored.pop(name)["metadata"]["uid"] == uid


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "studio"
    folder.mkdir()
    (folder / "open_scene.py").write_text(OPEN_SCENE)
    (folder / "publish.py").write_text("'''Publish it.'''\ndef main(**all): pass\n")
    (folder / "wrapped.py").write_text("@wrapped\ndef main(a): pass\n")
    (folder / "_helpers.py").write_text("x = 1\n")
    return folder


def pushed(scripts: Scripts, what: Push) -> int:
    return push.push(cast("ApiServer", scripts), what)


def test_a_second_push_changes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scripts, what = Scripts(), Push(folder, "")
    assert pushed(scripts, what) == 0
    assert capsys.readouterr().out.split("\n") == [
        "open-scene: created",
        "publish: created",
        "wrapped: created",
        "",
    ]
    document = scripts.stored["open-scene"]
    assert document["metadata"]["labels"] == {LABEL: "studio"}
    assert document["spec"] == {
        "description": "Open a scene.",
        "source": OPEN_SCENE,
        "parameters": [
            {
                "name": "scene",
                "type": "path",
                "required": True,
                "description": "The scene to open.",
                "access": "read",
            },
            {"name": "frame", "type": "integer", "default": 1, "minimum": 1},
            {"name": "quality", "type": "string", "enum": ["draft", "final"], "default": "draft"},
            {"name": "token", "type": "string", "nullable": True, "secret": True},
        ],
    }
    assert scripts.stored["publish"]["spec"]["takesOtherArguments"]
    assert "parameters" not in scripts.stored["wrapped"]["spec"]
    (folder / "publish.py").write_text("def main(): pass")
    assert pushed(scripts, what) == 0
    outcomes = ["open-scene: unchanged", "publish: changed", "wrapped: unchanged"]
    assert capsys.readouterr().out.splitlines() == outcomes


def test_prune_deletes_what_this_folder_has_no_more(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scripts = Scripts()
    assert pushed(scripts, Push(folder, "others")) == 0
    assert pushed(scripts, Push(folder, "ours")) == 0
    scripts.stored["wrapped"]["metadata"]["labels"][LABEL] = "others"
    (folder / "publish.py").unlink()
    (folder / "wrapped.py").unlink()
    capsys.readouterr()
    assert pushed(scripts, Push(folder, "ours", prunes=True, is_dry_run=True)) == 0
    assert capsys.readouterr().out.splitlines() == [
        "open-scene: unchanged (dry run: nothing was done)",
        "publish: deleted (dry run: nothing was done)",
    ]
    assert {*scripts.stored} == {"open-scene", "publish", "wrapped"}
    assert pushed(scripts, Push(folder, "ours", prunes=True)) == 0
    assert {*scripts.stored} == {"open-scene", "wrapped"}


def test_nothing_is_written_where_one_has_a_problem(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scripts = Scripts()
    (folder / "open-scene.py").write_text("def main(frames: int = 'x'): pass")
    (folder / "Über.py").write_text("main = 1 +")
    assert pushed(scripts, Push(folder, "")) == 1
    assert scripts.stored == {}
    said = capsys.readouterr().err.splitlines()
    assert said[0] == (
        f"enso: {folder}/open-scene.py, line 1: parameter 'frames' has a default that is \"x\", a "
        "string, but takes an integer"
    )
    assert said[1].startswith(f"enso: {folder}/Über.py: 'über' cannot name an EnsoScript: use low")
    assert said[2].startswith(f"enso: {folder}/Über.py, line 1: does not compile: ")
    assert said[3] == (
        f"enso: {folder}/open-scene.py and {folder}/open_scene.py are both open-scene: rename one "
        "of them"
    )


def test_a_script_that_the_cluster_refuses_holds_up_no_other(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scripts = Scripts()
    scripts.refused = {"open-scene"}
    assert pushed(scripts, Push(folder, "")) == 2
    assert {*scripts.stored} == {"publish", "wrapped"}
    assert "enso: open-scene: the API server answers 409" in capsys.readouterr().err


def test_a_folder_needs_a_label(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert pushed(Scripts(), Push(folder, "no label")) == 2
    assert "'no label' is no value of a label: give one with --as" in capsys.readouterr().err


def test_check_tells_all_without_a_cluster(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check.check(folder) == 0
    assert capsys.readouterr().out == f"{folder}: 3 scripts, no problems\n"
    (folder / "broken.py").write_text("\nasync def main(): pass")
    assert check.check(folder) == 1
    assert check.check(folder / "broken.py") == 1
    line = f"{folder}/broken.py, line 2: has an `async def main`: use `def`, with asyncio.run"
    assert all(said.startswith(line) for said in capsys.readouterr().out.splitlines())
    assert check.check(folder / "nothing.py") == 2
    (folder / "broken.py").write_bytes(b"\xff")
    assert check.check(folder) == 2


TABLE = """\
open-scene: Open a scene.

PARAMETER  TAKES                         DEFAULT     DESCRIPTION
scene      a path, to read               (required)  The scene to open.
frame      an integer of at least 1      1
quality    "draft" or "final"            "draft"
token      a string, or null, secret     null
"""


def test_show_and_list_of_this_machine(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PATH_VARIABLE, str(folder))
    assert show.show_local("open_scene", None) == 0
    assert capsys.readouterr().out.split() == TABLE.split()
    assert show.show_local("wrapped", None) == 0
    assert "any arguments are taken" in capsys.readouterr().out
    assert show.show_local("publish", None) == 0
    assert capsys.readouterr().out == "publish: Publish it.\nit takes any other arguments, too\n"
    assert show.show_local("studio.publish:publish", None) == 0
    assert show.show_local("opne_scene", None) == 2
    said = capsys.readouterr()
    assert "studio.publish:publish, which is not read" in said.out
    assert "did you mean 'open_scene'?" in said.err
    assert show.show_local("open-scene", "yaml") == 0
    assert yaml.safe_load(capsys.readouterr().out)["spec"]["source"] == OPEN_SCENE
    assert show.list_local(None) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["NAME", "DESCRIPTION"]
    assert "open-scene      Open a scene." in lines
    assert show.list_local("name") == 0
    assert "ensoscript.enso.dev/wrapped" in capsys.readouterr().out.splitlines()


def test_the_example_of_the_page_is_shown_as_the_page_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "simulate.py").write_text(snippet("scripts.md", "# simulate.py"))
    monkeypatch.setenv(PATH_VARIABLE, str(tmp_path))
    assert check.check(tmp_path) == 0
    capsys.readouterr()
    assert show.show_local("simulate", None) == 0
    console = snippet("scripts.md", "enso scripts show --local")
    assert console.partition("show --local simulate\n")[2] == capsys.readouterr().out


def test_show_and_list_of_a_cluster(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scripts = Scripts()
    api = cast("ApiServer", scripts)
    assert show.list_scripts(api, None) == 0
    assert capsys.readouterr().out == "namespace shows has no scripts\n"
    pushed(scripts, Push(folder, ""))
    capsys.readouterr()
    assert show.show(api, "open_scene", None) == 0
    after_push = capsys.readouterr().out
    assert [line.split() for line in after_push.splitlines()[3:6]] == [
        line.split() for line in TABLE.splitlines()[3:6]
    ]
    assert show.show(api, "opn-scene", None) == 2
    assert capsys.readouterr().err == (
        "enso: there is no script 'opn-scene' in namespace shows; did you mean open-scene?\n"
    )
    assert show.list_scripts(api, None) == 0
    assert capsys.readouterr().out.splitlines()[1] == "open-scene  Open a scene."
    assert show.show(api, "open-scene", "json") == 0
