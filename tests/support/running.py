"""Finds processes on this machine, for tests and benchmarks."""

from __future__ import annotations

from pathlib import Path

import psutil
from dev.host.processes import words_of


def supervisors_of(folder: Path) -> list[int]:
    """Return the processes that supervise sessions whose folders are below this one."""
    return [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if "job_execution_framework.runtime" in (arguments := words_of(process))
        and str(folder) in arguments[-1]
    ]


def is_alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        return psutil.Process(pid).status() not in {psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}
    except psutil.NoSuchProcess:
        return False


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds that a process has used, without its children."""
    used = psutil.Process(pid).cpu_times()
    return used.user + used.system
