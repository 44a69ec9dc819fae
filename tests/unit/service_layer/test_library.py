"""Where scripts are found, and what is said when they are not."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from job_execution_framework.domain.errors import ScriptNotFound
from job_execution_framework.domain.script import Function, LibraryScript, Missing, Source
from job_execution_framework.service_layer import library
from job_execution_framework.service_layer.library import ScriptLibrary, resolved


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "scripts"
    path.mkdir()
    return path


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package is installed that has scripts as entry points."""
    site = tmp_path / "site"
    info = site / "studio-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: studio\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[enso.scripts]\nopen-scene = studio.scenes\nsave = studio.scenes:store\n"
    )
    monkeypatch.setattr(sys, "path", [str(site), *sys.path])
    kept = vars(library)["_entry_points"]  # they are read once
    kept.cache_clear()
    yield
    kept.cache_clear()


def not_found(name: str, *folders: Path) -> str:
    with pytest.raises(ScriptNotFound) as caught:
        ScriptLibrary(folders).find(name)
    return str(caught.value)


@pytest.mark.parametrize("file", ["open_scene.py", "open-scene.py"])
@pytest.mark.parametrize("name", ["open_scene", "open-scene"])
def test_both_spellings_find_both_spellings(folder: Path, file: str, name: str) -> None:
    (folder / file).write_text("def main(): 'é'", "utf-8")
    assert ScriptLibrary([folder]).find(name) == Source("def main(): 'é'", str(folder / file))


def test_the_first_folder_wins(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "save.py").write_text(name)
    folders = [tmp_path / name for name in ("none", "b", "a")]
    assert ScriptLibrary(folders).find("save") == Source("b", str(tmp_path / "b" / "save.py"))


def test_folders_come_from_the_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "save.py").write_text("x")
    monkeypatch.setenv("ENSO_SCRIPTS_PATH", f"/nowhere{os.pathsep}{os.pathsep}{folder}")
    found = ScriptLibrary()
    assert found.folders == [Path("/nowhere"), folder]
    assert found.find("save") == Source("x", str(folder / "save.py"))


@pytest.mark.usefixtures("installed")
def test_entry_points_are_scripts(folder: Path) -> None:
    found = ScriptLibrary([folder])
    assert found.find("open_scene") == Function("studio.scenes:main")
    assert found.find("open-scene") == Function("studio.scenes:main")
    assert found.find("save") == Function("studio.scenes:store")
    (folder / "save.py").write_text("x")
    assert found.find("save") == Source("x", str(folder / "save.py")), "a folder comes first"
    assert {"open_scene", "save"} <= set(found.names())


def test_a_function_is_named_by_its_reference() -> None:
    assert ScriptLibrary([]).find("studio.publish:publish") == Function("studio.publish:publish")


def test_example_script_comes_with_the_package(folder: Path) -> None:
    found = ScriptLibrary([]).find("example_script")
    assert isinstance(found, Source)
    assert "def main(arg1" in found.text
    assert ScriptLibrary([]).find("example-script") == found
    (folder / "example_script.py").write_text("mine")
    assert ScriptLibrary([folder]).find("example_script") != found


def test_what_is_not_found_is_named_with_what_is_near(folder: Path) -> None:
    (folder / "open_scene.py").write_text("")
    assert not_found("open_secne", folder) == (
        f"there is no script 'open_secne' in the library ({folder}): did you mean 'open_scene'?"
    )


def test_what_is_near_nothing_is_told_what_there_is(folder: Path) -> None:
    (folder / "open_scene.py").write_text("")
    (folder / "_private.py").write_text("")
    sentence = not_found("zzz", folder)
    assert "the library has example_script, open_scene" in sentence
    assert "_private" not in sentence
    assert "ENSO_SCRIPTS_PATH is not set" in not_found("zzz")


@pytest.mark.parametrize(
    "name",
    [
        *["../secret", "..", ".", "/", "", "sub/inner", "./secret", "__init__", "secret.py"],
        *["..\\secret", "secret\0", "\0", "\ud800", "a" * 5000, "%2e%2e/secret", " ", "\n"],
        "--init--",
    ],
)
def test_a_name_never_leaves_the_library(folder: Path, name: str) -> None:
    for path in (folder.parent / "secret.py", folder / "sub" / "inner.py"):
        path.parent.mkdir(exist_ok=True)
        path.write_text("def main(): pass")
    assert f"script {name!r}" in not_found(name, folder)
    assert f"script {name!r}" in not_found(name)


def test_a_path_is_no_name(folder: Path) -> None:
    (folder / "save.py").write_text("")
    assert "there is no script" in not_found(str(folder / "save"), folder.parent)


def test_a_script_that_cannot_be_read_is_not_found_and_says_why(folder: Path) -> None:
    (folder / "save.py").write_bytes(b"# \xff\n")
    assert "cannot be read: 'utf-8' codec" in not_found("save", folder)


def test_a_folder_that_is_none_is_no_obstacle(folder: Path, tmp_path: Path) -> None:
    (folder / "save.py").write_text("x")
    (tmp_path / "file").write_text("")
    found = ScriptLibrary([tmp_path / "file", folder]).find("save")
    assert found == Source("x", str(folder / "save.py"))


def test_a_script_that_is_missing_is_found_out_when_it_runs() -> None:
    work = resolved(LibraryScript("zzz"), ScriptLibrary([]))
    assert isinstance(work, Missing)
    assert "there is no script 'zzz'" in work.why
    assert resolved(Function("a:b"), ScriptLibrary([])) == Function("a:b")
