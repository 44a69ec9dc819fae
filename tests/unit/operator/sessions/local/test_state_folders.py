"""Where state is kept, for users without a home, too; and that nobody else can look into it."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from enso_operator.cli.resume import ResumeOptions, resume
from enso_operator.cli.run import run
from enso_operator.kube.connection import NotConnected, configured
from enso_operator.sessions.local.state_folders import Homeless, make_private, state_directory
from tests.support.workstation import Workstation


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be a user of whom the system knows no more than a number, as in many containers."""

    def unknown(number: int) -> pwd.struct_passwd:
        raise KeyError(number)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for name in ("HOME", "XDG_STATE_HOME", "KUBECONFIG", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize(
    "begin", [run, partial(resume, options=ResumeOptions())], ids=["run", "resume"]
)
def test_a_user_without_a_home_is_told_what_to_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], begin: Callable[[Path], int]
) -> None:
    workstation = Workstation(tmp_path)
    workstation.write([{"name": "a", "source": "def main(): pass"}])
    assert begin(workstation.manifest) == 2
    said = capsys.readouterr().err
    assert said.startswith("enso: there is no folder to keep state in: HOME is not set, and user ")
    assert "set HOME or XDG_STATE_HOME" in said


@pytest.mark.usefixtures("nobody")
def test_a_user_without_a_home_has_no_kubeconfig_there() -> None:
    with pytest.raises(NotConnected, match=r"no KUBECONFIG, no ~/\.kube/config"):
        configured(1)


@pytest.mark.usefixtures("nobody")
def test_a_home_that_is_no_absolute_path_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "relative/home")
    with pytest.raises(Homeless):
        state_directory()


def test_a_relative_path_in_the_environment_is_no_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.setenv("XDG_STATE_HOME", "state")
    assert state_directory() == Path("/home/ann/.local/state/enso")
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert state_directory() == Path("/state/enso")


def modes(root: Path) -> set[str]:
    return {f"{folder.stat().st_mode & 0o777:o}" for folder in root.rglob("*") if folder.is_dir()}


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_folders_are_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        make_private(tmp_path / "a" / "b" / "c")
        make_private(tmp_path / "a" / "b" / "c")
    finally:
        os.umask(before)
    assert modes(tmp_path) == {"700"}


def test_a_folder_that_an_earlier_release_left_open_is_closed(tmp_path: Path) -> None:
    above, ours = tmp_path / "state", tmp_path / "state" / "enso"
    ours.mkdir(parents=True)
    above.chmod(0o755)
    ours.chmod(0o777)
    make_private(ours)
    assert f"{ours.stat().st_mode & 0o777:o}" == "700"
    assert f"{above.stat().st_mode & 0o777:o}" == "755", "it is not ours alone"


def test_a_run_leaves_nothing_for_others(tmp_path: Path) -> None:
    workstation = Workstation(tmp_path)
    workstation.write([{"name": "a", "source": "def main(): pass"}])
    process = workstation.start(umask=0)
    assert process.communicate(timeout=60)[0].endswith("1 of 1 scripts done\n")
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    assert modes(tmp_path / "state") == {"700"}
