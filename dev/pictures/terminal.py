"""Commands as they are typed, and what they say: run for the recording in the README."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from dev.checkout import CHECKOUT, Failed
from rich.console import Console
from rich.segment import Segment
from rich.text import Text

Line = tuple[Segment, ...]
PROGRAMS = CHECKOUT / ".venv" / "bin"
SECONDS = 60
COLUMNS = 104
"""Width of the terminal, in characters."""


@dataclass(frozen=True)
class Said:
    """A command, and each line that it printed, as wide as the picture at most."""

    command: str
    lines: tuple[Line, ...]


def record(commands: dict[str, int]) -> list[Said]:
    """Run the commands, one after the other, in a home of their own; return what they said.

    `commands` has each one's exit code. Raises Failed where it exits with another.
    """
    with tempfile.TemporaryDirectory(prefix="enso-recording-") as home:
        return [_run(command, code, Path(home)) for command, code in commands.items()]


def _run(command: str, code: int, home: Path) -> Said:
    environment = os.environ | {
        "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "COLUMNS": str(COLUMNS),
        # rich prints colours, and nothing that it would rub out again.
        "TTY_COMPATIBLE": "1",
        "TTY_INTERACTIVE": "0",
    }
    environment.pop("XDG_STATE_HOME", None)
    done = subprocess.run(
        shlex.split(command),
        env=environment,
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=SECONDS,
        check=False,
    )
    if done.returncode != code:
        raise Failed(f"{command!r} exited with {done.returncode}, not {code}: {done.stdout}")
    return Said(command, lines_of(done.stdout.replace(str(home), "~")))


def lines_of(output: str) -> tuple[Line, ...]:
    """Return what a terminal shows, line by line: long lines are broken, at any character."""
    text = Text.from_ansi(output.rstrip("\n"))
    text.no_wrap, text.overflow = False, "fold"
    console = Console(width=COLUMNS, force_terminal=True, color_system="truecolor")
    return tuple(map(tuple, console.render_lines(text, pad=False)))
