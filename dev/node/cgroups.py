"""The control groups of Pods, which the kubelet makes and never removes: for remains.py."""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from dev.cluster.places import ClusterError

_ROOT = Path("/sys/fs/cgroup")


def roots() -> list[Path]:
    """Return the kubelet's own group: one, or with version 1 one per controller."""
    return [path for path in (_ROOT / "kubepods", *_ROOT.glob("*/kubepods")) if path.is_dir()]


def members() -> set[int]:
    """Return the processes in them."""
    return {
        int(pid)
        for group in _groups()
        for pid in _read(group / "cgroup.procs").split()
        if pid != "0"  # of another namespace
    }


def remove(patience: float) -> None:
    """Remove them; a group is busy for a moment after its last process."""
    deadline = time.monotonic() + patience
    while roots():
        for group in _groups():
            with suppress(OSError):
                group.rmdir()
        if roots() and time.monotonic() > deadline:
            raise ClusterError(
                f"{roots()[0]} cannot be removed, as processes {sorted(members())} are in it:"
                " end them, then `make cluster-down` again"
            )
        if roots():
            time.sleep(0.05)


def _groups() -> Iterator[Path]:
    """Yield every group, the innermost first."""
    for root in roots():
        with suppress(FileNotFoundError):
            groups = [path for path in root.rglob("*") if path.is_dir()]
            yield from sorted(groups, key=lambda path: len(path.parts), reverse=True)
        yield root


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # it went meanwhile
        return ""
