"""Where a script was when it hung or crashed: what ``faulthandler`` wrote about it."""

from __future__ import annotations

import linecache
import re
import time
from pathlib import Path

DUMP_SECONDS = 0.5
"""How long a child may take to say where it hangs, once its time is over."""
LOOK_SECONDS = 0.005
CUT = "  ...\n"
"""What stands for the frames that are too deep to be written."""
_PLACE = re.compile(r'  File "(.+)", line (\d+) in (.+)')
_PYTHON = re.compile(r"<frozen |.*/lib(64)?/python3[^/]*/(?!(site|dist)-packages/)")

Place = tuple[str, int, str]
"""File, line and function."""


def wait_for(crash_file: Path) -> None:
    """Wait until the child has said where it hangs: its clock began a little after ours.

    It says so piece by piece, down to where child.py called the script.
    """
    end = time.monotonic() + DUMP_SECONDS
    while time.monotonic() < end:
        dump = crash_file.read_text("utf-8", "replace")
        if _ours(crash_file) in dump or CUT in dump:
            return
        time.sleep(LOOK_SECONDS)


def place(crash_file: Path, script: str) -> list[object] | None:
    """Return file, line, function and text of the innermost frame of the user's code.

    That is in the `script`, or where there is none in the file of the function that was called.
    """
    for frames in _threads(crash_file.read_text("utf-8", "replace"), _ours(crash_file)):
        users = [frame for frame in frames if not _PYTHON.match(frame[0])]
        file = _spelled(script) or (users[-1][0] if users else "")
        for name, line, function in users:
            if name == file:
                return [script or name, line, function, linecache.getline(script or name, line)]
    return None


def _threads(dump: str, ours: str) -> list[list[Place]]:
    """Return each thread's frames, innermost first, down to where child.py called the script.

    The thread that crashed comes first, then the one that runs the script, then the others.
    """
    threads: list[tuple[int, list[Place]]] = []
    for part in re.split(r"^(?=(?:Current thread|Thread|Stack) )", dump, flags=re.MULTILINE):
        lines = map(_PLACE.match, part.split("\n"))
        frames = [(line[1], int(line[2]), line[3]) for line in lines if line]
        calls = [number for number, frame in enumerate(frames) if frame[0] == ours]
        rank = 0 if part.startswith("Current") else 1 if calls else 2
        threads.append((rank, frames[: calls[0]] if calls else frames))
    return [frames for _, frames in sorted(threads, key=lambda thread: thread[0])]


def _ours(crash_file: Path) -> str:
    """Return the name of the child.py beside it."""
    return _spelled(str(crash_file.with_name("child.py")))


def _spelled(file: str) -> str:
    """Return a file's name as ``faulthandler`` writes it."""
    return file.encode("ascii", "backslashreplace").decode()
