"""Reads the kernel's tables: who listens where."""

import socket
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_LISTEN = "0A"


def listening(pids: Iterable[int]) -> set[tuple[str, int]]:
    """Return the addresses and ports on which these processes accept connections."""
    sockets = {inode for pid in pids for inode in _sockets(pid)}
    found: set[tuple[str, int]] = set()
    for table in ("tcp", "tcp6"):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if state == _LISTEN and rest[5] in sockets:
                address, port = local.split(":")
                found.add((_readable(address), int(port, 16)))
    return found


def _sockets(pid: int) -> set[str]:
    found: set[str] = set()
    for entry in Path("/proc", str(pid), "fd").iterdir():
        with suppress(FileNotFoundError):
            found.add(str(entry.readlink()).removeprefix("socket:[").removesuffix("]"))
    return found


def _readable(address: str) -> str:
    """Kernel's order: each word of 32 bits in the machine's own byte order."""
    words = [bytes.fromhex(address[at : at + 8])[::-1] for at in range(0, len(address), 8)]
    packed = b"".join(words)
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)
