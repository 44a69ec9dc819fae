"""Says where a script was when it hung or crashed, from what ``faulthandler`` wrote.

``worker.py`` has ``faulthandler`` write into the crash file; `child_runner` and `interpreter` ask.
"""

from __future__ import annotations

import linecache
import re
import time
from collections.abc import Iterator
from pathlib import Path

DUMP_SECONDS = 3.0
"""How long the dump of a child may take after its time is over: a busy machine is late with it."""
LOOK_SECONDS = 0.005
CUT = "  ...\n"
"""The line that ``faulthandler`` writes instead of frames that are too deep."""
_THREAD = re.compile(r"(?:Current thread|Thread) 0x([0-9a-f]+)")
_WAITS_FOR = re.compile(r"^waits for 0x([0-9a-f]+) (.*)$", re.MULTILINE)
_FRAME = re.compile(r'  File "(.+)", line (\d+) in (.+)')
_PYTHON = re.compile(r"<frozen |.*/lib(64)?/python3[^/]*/(?!(site|dist)-packages/)")

Location = tuple[str, int, str]
"""File, line and function."""


def wait_for(crash_file: Path) -> None:
    """Wait until the dump of a hanging child is whole: its timeout began a little after ours.

    The dump comes piece by piece, and is whole when it has come to the frame of child.py.
    """
    end = time.monotonic() + DUMP_SECONDS
    while time.monotonic() < end:
        dump = crash_file.read_text("utf-8", "replace")
        if _child_file(crash_file) in dump or CUT in dump:
            return
        time.sleep(LOOK_SECONDS)


def location(crash_file: Path, script: str) -> list[object] | None:
    """Return file, line, function and text of the innermost frame of the user's code.

    It is in the file `script`. Where that is empty, it is in the file of the called function.
    """
    for frames in _threads(crash_file.read_text("utf-8", "replace"), _child_file(crash_file)):
        users = [frame for frame in frames if not _PYTHON.match(frame[0])]
        file = _escaped(script) or (users[-1][0] if users else "")
        for name, line, function in users:
            if name == file:
                return [script or name, line, function, linecache.getline(script or name, line)]
    return None


def tells_what_it_waits_for(crash_file: Path) -> bool:
    """Whether the dump of an interpreter that does not end has come to the thread that ends it.

    Python writes that thread last, as it is the oldest. It is the one without a name.
    """
    dump = crash_file.read_text("utf-8", "replace")
    ends = {int(number, 16) for number, name in _WAITS_FOR.findall(dump) if not name}
    return any(header and int(header[1], 16) in ends and frames for header, frames in _parts(dump))


def what_it_waits_for(crash_file: Path) -> list[str]:
    """Return what keeps an interpreter from ending: threads that are no daemons, an exit handler.

    Before the dump the child has written the numbers and names of the threads that can be meant.
    """
    dump = crash_file.read_text("utf-8", "replace")
    names = {int(number, 16): name for number, name in _WAITS_FOR.findall(dump)}
    found: list[str] = []
    for header, frames in _parts(dump):
        users = [frame for frame in frames if not _PYTHON.match(frame[0])]
        name = names.get(int(header[1], 16)) if header else None
        if name or (name == "" and users):
            what = f"thread {name}" if name else "an exit handler"
            found.append(what + "".join(f" at {_described(*frame)}" for frame in users[:1]))
    return found


def _described(file: str, line: int, function: str) -> str:
    text = linecache.getline(file, line).strip()
    return f"line {line} in {function} of {file}" + (f": {text}" if text else "")


def _threads(dump: str, ours: str) -> list[list[Location]]:
    """Return each thread's frames, innermost first, down to where child.py called the script.

    The thread that crashed comes first, then the one that runs the script, then the others.
    """
    threads: list[tuple[int, list[Location]]] = []
    for header, frames in _parts(dump):
        calls = [number for number, frame in enumerate(frames) if frame[0] == ours]
        rank = 0 if header and header[0].startswith("Current") else 1 if calls else 2
        threads.append((rank, frames[: calls[0]] if calls else frames))
    return [frames for _, frames in sorted(threads, key=lambda thread: thread[0])]


def _parts(dump: str) -> Iterator[tuple[re.Match[str] | None, list[Location]]]:
    """Yield each thread's header, which has its number, and its frames, innermost first."""
    for part in re.split(r"^(?=(?:Current thread|Thread|Stack) )", dump, flags=re.MULTILINE):
        lines = map(_FRAME.match, part.split("\n"))
        yield _THREAD.match(part), [(line[1], int(line[2]), line[3]) for line in lines if line]


def _child_file(crash_file: Path) -> str:
    """Return the name of the child.py beside it."""
    return _escaped(str(crash_file.with_name("child.py")))


def _escaped(file: str) -> str:
    """Return a file's name as ``faulthandler`` writes it."""
    return file.encode("ascii", "backslashreplace").decode()
