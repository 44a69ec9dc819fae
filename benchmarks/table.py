"""Functions that measure times and print the lines of the table."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

ROUNDS = 5


def python(*arguments: str) -> None:
    """Run this Python to its end."""
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)


def timed(function: Callable[..., object], *arguments: object, **named: object) -> float:
    """Return the seconds that a call takes."""
    began = time.perf_counter()
    function(*arguments, **named)
    return time.perf_counter() - began


@contextmanager
def silence() -> Generator[None]:
    """Discard the output of scripts and sessions meanwhile, so that only the table is shown."""
    kept = os.dup(1)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        yield
        os.dup2(kept, 1)
    os.close(kept)


def show(
    what: str,
    ours: Callable[[], float],
    reference: Callable[[], float],
    *,
    most: float | None = None,
) -> None:
    """Measure both in turn, so that a machine that slows down slows both, and print the ratio.

    Raises AssertionError where its median is above `most`.
    """
    with silence():
        ours()
        reference()
        ratios = [ours() / reference() for _ in range(ROUNDS)]
    if missed := line(what, ratios, most=most):
        raise AssertionError(missed)


def line(
    what: str, values: list[float], *, most: float | None = None, least: float | None = None
) -> str:
    """Print one line for a value that was measured several times.

    Returns a sentence where its median is beyond a bound, and nothing where it is not.
    """
    median, spread = statistics.median(values), f"{min(values):.2f} to {max(values):.2f}"
    bounds = (("at most", most), ("at least", least))
    told = "".join(f" ({word} {bound:g})" for word, bound in bounds if bound is not None)
    print(f"{median:8.2f}  ({spread})  {what}{told}", flush=True)
    if (most is None or median <= most) and (least is None or median >= least):
        return ""
    return f"{what}{told}: it was {median:.2f}"
