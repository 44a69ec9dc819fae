"""Finds the processes of Pods, and the sockets and control groups that outlive them.

containerd has a shim for each Pod, a process that outlives it, and a socket for each shim. The
kubelet makes control groups for Pods and never removes them.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
from dev.checkout import Failed
from dev.host.places import NAMESPACE, SOCKET, STATE
from dev.host.processes import words_of

_GROUPS_ROOT = Path("/sys/fs/cgroup")
_BUNDLES = STATE / "io.containerd.runtime.v2.task" / NAMESPACE
SHIM_SOCKETS = Path("/run/containerd/s")
"""containerd's, whatever its settings say; another containerd has its own there."""


def of_containers() -> set[int]:
    """Return the shims, and all that came from them: containers, and what was started there."""
    found: set[int] = set()
    for process in psutil.process_iter(["cmdline"]):
        # By their argument, as a shim starts itself again under its program's real path.
        if str(SOCKET) in words_of(process):
            found.add(process.pid)
            with suppress(psutil.NoSuchProcess):
                found |= {child.pid for child in process.children(recursive=True)}
    return found


def shim_sockets() -> Iterator[Path]:
    """Yield the sockets of those whose containers are known: their names are digests."""
    for bundle in _BUNDLES.glob("*"):
        for path in (SOCKET / NAMESPACE / bundle.name, SOCKET / NAMESPACE / bundle.name / "debug"):
            yield SHIM_SOCKETS / hashlib.sha256(str(path).encode()).hexdigest()


def group_roots() -> list[Path]:
    """Return the kubelet's own group: one, or with version 1 one per controller."""
    return [
        path
        for path in (_GROUPS_ROOT / "kubepods", *_GROUPS_ROOT.glob("*/kubepods"))
        if path.is_dir()
    ]


def of_groups() -> set[int]:
    """Return the processes in the kubelet's groups."""
    return {
        int(pid)
        for group in _groups()
        for pid in _read(group / "cgroup.procs").split()
        if pid != "0"  # of another namespace
    }


def remove_groups(patience: float) -> None:
    """Remove the kubelet's groups; one is busy for a moment after its last process."""
    deadline = time.monotonic() + patience
    while group_roots():
        for group in _groups():
            with suppress(OSError):
                group.rmdir()
        if group_roots() and time.monotonic() > deadline:
            raise Failed(
                f"{group_roots()[0]} cannot be removed, as processes {sorted(of_groups())} are in"
                " it: end them, then `make cluster-down` again"
            )
        if group_roots():
            time.sleep(0.05)


def _groups() -> Iterator[Path]:
    """Yield every group, the innermost first."""
    for root in group_roots():
        with suppress(FileNotFoundError):
            groups = [path for path in root.rglob("*") if path.is_dir()]
            yield from sorted(groups, key=lambda path: len(path.parts), reverse=True)
        yield root


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # it went meanwhile
        return ""
