"""containerd's shims: one process per Pod that outlives containerd, and its socket."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from dev.node.places import NAMESPACE, SOCKET, STATE

_BUNDLES = STATE / "io.containerd.runtime.v2.task" / NAMESPACE
SOCKETS = Path("/run/containerd/s")
"""containerd's, whatever its settings say; another containerd has its own there."""


def pids() -> set[int]:
    """Return the shims, and all that came from them: containers, and what was started in them."""
    table = _table()
    # By their argument, as a shim starts itself again under its program's real path.
    found = {pid for pid, (_, words) in table.items() if str(SOCKET).encode() in words}
    while more := {pid for pid, (parent, _) in table.items() if parent in found} - found:
        found |= more
    return found


def sockets() -> Iterator[Path]:
    """Yield the sockets of those whose containers are known: their names are digests."""
    for bundle in _BUNDLES.glob("*"):
        for path in (SOCKET / NAMESPACE / bundle.name, SOCKET / NAMESPACE / bundle.name / "debug"):
            yield SOCKETS / hashlib.sha256(str(path).encode()).hexdigest()


def _table() -> dict[int, tuple[int, list[bytes]]]:
    """Return the parent and the command of every process."""
    table: dict[int, tuple[int, list[bytes]]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            command = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:  # it ended meanwhile
            continue
        table[int(entry.name)] = (int(parent), command)
    return table
