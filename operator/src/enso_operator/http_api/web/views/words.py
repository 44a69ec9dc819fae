"""Times, durations and values as the pages write them; the filters of the templates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from job_execution_framework.domain.events import took

KIB, UNITS, TEN = 1024, ("KiB", "MiB", "GiB"), 10
MINUTE, HOUR, DAY = 60, 3600, 86400


def machine_time(at: float) -> str:
    """Return a time as ``<time datetime>`` has it, UTC."""
    text = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def exact_time(at: float) -> str:
    """Return a time as people read it: ``2026-11-29 22:41:07 UTC``."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def clock_time(at: float, now: float) -> str:
    """Return a time of the day, UTC: ``22:41:07``; with the date if it is not today."""
    moment, today = datetime.fromtimestamp(at, UTC), datetime.fromtimestamp(now, UTC).date()
    return moment.strftime("%H:%M:%S" if moment.date() == today else "%m-%d %H:%M:%S")


def elapsed(seconds: float) -> str:
    """Return a duration that goes on, in whole seconds: ``0 s``, ``6 min 47 s``."""
    whole = int(max(seconds, 0))
    if whole < MINUTE:
        return f"{whole} s"
    finest = next((part for unit, part in ((DAY, HOUR), (HOUR, MINUTE)) if whole >= unit), 1)
    return took(whole - whole % finest)


def age(seconds: float) -> str:
    """Return how long ago something was, in its largest unit: ``12 s``, ``3 min``, ``4 d``."""
    return " ".join(elapsed(seconds).split()[:2])


def size(count: int) -> str:
    """Return a number of bytes: ``812 bytes``, ``3 KiB``, ``1.4 GiB``."""
    if count < KIB:
        return f"{count} bytes"
    number, unit = count / KIB, 0
    while number >= KIB and unit < len(UNITS) - 1:
        number, unit = number / KIB, unit + 1
    return f"{number:.0f} {UNITS[unit]}" if number >= TEN else f"{number:.1f} {UNITS[unit]}"


FILTERS: dict[str, Callable[..., Any]] = {
    "machine_time": machine_time,
    "exact_time": exact_time,
    "clock_time": clock_time,
    "elapsed": elapsed,
    "age": age,
    "size": size,
    "took": took,
}
