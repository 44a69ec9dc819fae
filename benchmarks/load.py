"""What else a machine did while something was measured: said beside each time of Pods."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from dev.host import requirements

SPINNING, LONGEST_SECONDS = 4, 1800
"""Processes that `spinning` starts, and when they end by themselves at the latest."""
_STAT = Path("/proc/stat")
_STEAL = 7
"""Where the first line of that file has the time for which the host ran others."""


@contextmanager
def told() -> Generator[None]:
    """Print afterwards how busy the machine was meanwhile."""
    before = _ticks()
    yield
    spent = [after - ticks for after, ticks in zip(_ticks(), before, strict=True)]
    loads = ", ".join(f"{load:.1f}" for load in os.getloadavg()[:2])
    steal = spent[_STEAL] / sum(spent)
    print(f"Meanwhile: a load of {loads} (the last minute, five) and {steal:.1%} steal", flush=True)


def why_not_spinning() -> str:
    """Return why this machine cannot be kept busy; empty if it can."""
    is_there = requirements.find("stress-ng")
    return "" if is_there else "stress-ng is not on this machine: `apt-get install stress-ng`"


@contextmanager
def spinning() -> Generator[None]:
    """Keep the processors busy meanwhile."""
    program = requirements.program("stress-ng")
    command = [program, "--quiet", f"--cpu={SPINNING}", f"--timeout={LONGEST_SECONDS}s"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as busy:
        try:
            yield
        finally:
            busy.terminate()


def _ticks() -> list[int]:
    """Return what all processors together have spent, by what for; guests count as users."""
    first = _STAT.read_text().partition("\n")[0]
    return [int(ticks) for ticks in first.split()[1:9]]
