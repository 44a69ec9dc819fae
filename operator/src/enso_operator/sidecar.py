"""The `records` container of a session Pod: ``python3 -m enso_operator.sidecar RUNTIME RUN``.

It puts the runtime into RUNTIME, where the session waits for it, then prints each record of RUN's
journal as it is written, and an empty line as a heartbeat. It is a native sidecar: killed, it is
started again and prints everything once more; its SIGTERM comes after the session has ended, and
then it prints the rest. It imports little: a Pod's start waits for it.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import sys
import time
from pathlib import Path

JOURNAL, READY = "journal", "ready"
PACKAGE = "job_execution_framework"
HEARTBEAT_SECONDS = 10.0
SHORTEST_LOOK_SECONDS, LONGEST_LOOK_SECONDS = 0.002, 0.05
BEATS_TO_REPEAT = 10_000
"""Heartbeats after which everything is printed again: a log is cut at 10 MiB, and only its newest
part can be read again."""
DRAINED = b"drained\n"
"""The last line: the session has ended, and what stands above is all that it wrote."""


def main(runtime: str, run: str) -> None:
    """Bring the runtime, then print records until SIGTERM."""
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stopping.append(number))
    bring(Path(runtime))
    journal, position, pause, beats = Path(run) / JOURNAL, 0, 0.0, 0
    beat_at = time.monotonic() + HEARTBEAT_SECONDS
    while True:
        last = bool(stopping)  # asked before reading: what the session wrote is there by then
        text = _read(journal, position)
        position += len(text)
        _print(text)
        if last:
            _print(DRAINED)
            return
        if time.monotonic() >= beat_at:
            beats, beat_at = beats + 1, time.monotonic() + HEARTBEAT_SECONDS
            position = 0 if beats % BEATS_TO_REPEAT == 0 else position
            _print(b"\n")
        pause = SHORTEST_LOOK_SECONDS if text else min(pause * 1.2, LONGEST_LOOK_SECONDS)
        time.sleep(max(pause, SHORTEST_LOOK_SECONDS))


def bring(target: Path) -> None:
    """Copy the core, with what Python compiled of it, and say when it is whole.

    Once it is, a session may be reading it: a second start of this container leaves it alone.
    """
    if (target / READY).exists():
        return
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(f"{PACKAGE} is not installed beside the operator")
    shutil.copytree(found.submodule_search_locations[0], target / PACKAGE, dirs_exist_ok=True)
    (target / READY).touch()


def _read(journal: Path, position: int) -> bytes:
    """Return the whole lines from there on."""
    try:
        with journal.open("rb") as file:
            file.seek(position)
            text = file.read()
    except FileNotFoundError:
        return b""
    return text[: text.rfind(b"\n") + 1]


def _print(text: bytes) -> None:
    rest = memoryview(text)
    while rest:
        rest = rest[os.write(1, rest) :]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
