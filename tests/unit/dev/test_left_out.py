"""`make test` says which tests it leaves out, and what to install for them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from dev.checkout import CHECKOUT
from dev.host import requirements


def found(name: str) -> str:
    return f"/usr/bin/{name}"


def test_a_machine_with_everything_leaves_out_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(requirements, "missing_packages", list)
    monkeypatch.setattr(requirements, "find", found)
    assert [*requirements.left_out()] == []


def test_without_root_the_command_that_has_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(requirements, "find", found)
    (sentence,) = requirements.left_out()
    assert sentence == "every test on a real node: it needs root. `sudo make test` runs them"


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(requirements, "SYSTEM_PATH", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    node, gdb, browser = requirements.left_out()
    assert "`apt-get install buildah catatonit " in node
    assert gdb == "scripts inside gdb: it is missing. `apt-get install gdb` adds it"
    assert browser == "pages in a browser: it is missing. `apt-get install chromium` adds it"


def test_make_test_says_first_and_last_what_it_leaves_out() -> None:
    command = ["make", "--dry-run", "--no-print-directory", "test"]
    environment = {key: value for key, value in os.environ.items() if key != "MAKEFLAGS"}
    run = subprocess.run(
        command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=True
    )
    steps = [line for line in run.stdout.splitlines() if " sync --locked" not in line]
    assert "dev left-out" in steps[0]
    assert "dev left-out; exit $code" in steps[-1]
