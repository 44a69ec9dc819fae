"""Which processes of a cluster run: the process table is the truth, a pid file only a memory.

kwokctl trusts its pid files: it takes whoever has that number now for its own, and kills it. So
plane.py asks here, and removes pid files that lie before kwokctl reads them.
"""

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from dev.cluster.places import ClusterError

_PATIENCE = 10.0


def running(folder: Path) -> dict[str, int]:
    """Return the pid of every component that was started from the `bin/` of that folder."""
    start = f"{folder}/bin/"
    found: dict[str, int] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            program = (entry / "cmdline").read_bytes().split(b"\0", 1)[0].decode()
        except OSError:  # it ended meanwhile; one that waits to be reaped has an empty line
            continue
        if program.startswith(start):
            found[program.removeprefix(start)] = int(entry.name)
    return found


def end(folder: Path, names: Iterable[str] | None = None) -> None:
    """Kill these components, or all of them; they and their ports are free when this returns."""
    alive = running(folder)
    victims = {alive[name] for name in (alive if names is None else names) if name in alive}
    for pid in victims:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + _PATIENCE
    while victims := {pid for pid in victims if not _gone(pid)}:
        if time.monotonic() > deadline:
            raise ClusterError(f"These processes do not end: {sorted(victims)}")
        time.sleep(0.02)


def forget_stale_pids(folder: Path) -> None:
    """Remove every pid file that does not name the process that runs."""
    alive = running(folder)
    for file in (folder / "pids").glob("*.pid"):
        if file.read_text().strip() != str(alive.get(file.stem)):
            file.unlink()


def _gone(pid: int) -> bool:
    """Say whether nothing holds a port any more: its last thread has ended, reaped or not."""
    process = Path("/proc", str(pid))
    try:
        state = (process / "stat").read_text().rpartition(")")[2].split()[0]
        return state == "Z" and len(list((process / "task").iterdir())) == 1
    except (FileNotFoundError, ProcessLookupError):
        return True
