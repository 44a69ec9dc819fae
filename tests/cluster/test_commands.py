"""The commands as the Makefile calls them, and where the programs come from."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from dev.checkout import CHECKOUT, Failed, user_cache
from dev.cluster import binaries, commands
from dev.cluster.plane import Cluster


def test_kubeconfig_prints_one_path_and_nothing_else() -> None:
    command = [sys.executable, "-m", "dev", "cluster", "kubeconfig"]
    answer = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)

    (line,) = answer.stdout.splitlines()
    assert Path(line).is_relative_to(CHECKOUT / ".cache")


def test_the_current_context_is_used_as_it_is(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USE_CLUSTER", "current")
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig))

    assert commands.up() == str(cluster.kubeconfig)

    commands.down()
    assert cluster.ready()


def test_a_current_context_that_does_not_answer_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USE_CLUSTER", "current")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))

    with pytest.raises(Failed, match=r"current-context.* fails"):
        commands.up()


def test_another_word_than_current_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USE_CLUSTER", "kind")

    with pytest.raises(Failed, match="kind means nothing here"):
        commands.kubeconfig()


def test_programs_are_found_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assets, path, cache = (tmp_path / name for name in ("assets", "path", "cache"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    built = user_cache() / "bin" / "etcd-3.6.16" / "etcd"
    for program, version in (
        (assets / "etcd", "3.5.9"),
        (path / "etcd", "3.6.1"),
        (built, "0.0.0"),
    ):
        program.parent.mkdir(parents=True)
        program.write_text(f"#!/bin/sh\necho etcd Version: {version}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path}{os.pathsep}/usr/bin:/bin")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(assets))

    assert binaries.local()["etcd"] == assets / "etcd"
    monkeypatch.delenv("KUBEBUILDER_ASSETS")
    assert binaries.local()["etcd"] == path / "etcd"
    (path / "etcd").unlink()
    assert binaries.local()["etcd"] == built


def test_a_program_that_is_too_old_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old = tmp_path / "etcd"
    old.write_text("#!/bin/sh\necho etcd Version: 3.4.23\n")
    old.chmod(0o755)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))

    assert binaries.local().get("etcd") != old
    assert f"Not using {old}" in capsys.readouterr().err
