"""Who listens at a port."""

import socket
from pathlib import Path

from dev.up.errors import Failed

_LISTENS = "0A"


def answers(port: int) -> bool:
    """Whether anybody listens at the port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


def must_be_free(port: int) -> None:
    """Raise Failed where somebody has the port."""
    if answers(port):
        raise Failed(f"port {port} is taken by {_holder(port)}: end it, then try again")


def _holder(port: int) -> str:
    """Say who listens at the port, where that can be known."""
    tables = [Path("/proc/net", name) for name in ("tcp", "tcp6")]
    rows = [line.split() for t in tables if t.exists() for line in t.read_text().splitlines()[1:]]
    inodes = {r[9] for r in rows if r[3] == _LISTENS and r[1].endswith(f":{port:04X}")}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            targets = {str(file.readlink()) for file in (process / "fd").iterdir()}
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ")
        except OSError:
            continue  # one that is gone, or not ours to look at
        if targets & {f"socket:[{inode}]" for inode in inodes}:
            return f"process {process.name} ({command.decode('utf-8', 'replace').strip()})"
    return "another process"
