"""Finds and kills processes that run from the `bin/` of a cluster's or the node's folder.

The process table is asked, as pid files may be outdated. kwokctl trusts its pid files, and would
kill a stranger's process that has the number now. So the cluster removes outdated pid files before
it calls kwokctl.
"""

import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil
from dev.checkout import Failed

_PATIENCE = 10.0


def running(folder: Path) -> dict[str, int]:
    """Return the pid of every component that was started from the `bin/` of that folder."""
    start = f"{folder}/bin/"
    return {
        program.removeprefix(start): process.pid
        for process in psutil.process_iter(["cmdline"])
        for program in words_of(process)[:1]
        if program.startswith(start)
    }


def end(folder: Path, names: Iterable[str] | None = None) -> None:
    """Kill these components, or all of them; they and their ports are free when this returns."""
    alive = running(folder)
    victims = {alive[name] for name in (alive if names is None else names) if name in alive}
    for pid in victims:
        with suppress(psutil.NoSuchProcess):
            psutil.Process(pid).kill()
    deadline = time.monotonic() + _PATIENCE
    while victims := {pid for pid in victims if not _gone(pid)}:
        if time.monotonic() > deadline:
            raise Failed(f"These processes do not end: {sorted(victims)}")
        time.sleep(0.02)


def words_of(process: psutil.Process) -> list[str]:
    """Return the command line that `process_iter` read; empty where it has ended, reaped or not."""
    return process.info["cmdline"] or []


def forget_stale_pids(folder: Path) -> None:
    """Remove every pid file that does not name the process that runs."""
    alive = running(folder)
    for file in (folder / "pids").glob("*.pid"):
        if file.read_text().strip() != str(alive.get(file.stem)):
            file.unlink()


def _gone(pid: int) -> bool:
    """Say whether nothing holds a port any more: its last thread has ended, reaped or not."""
    try:
        process = psutil.Process(pid)
        return process.status() == psutil.STATUS_ZOMBIE and process.num_threads() == 1
    except psutil.NoSuchProcess:
        return True
