"""Keeps what attempts write in files, beside the session's own log. Used by `session_runner`.

A file that cannot be written fails no script. Who writes to a file server that hangs cannot be
interrupted, so each file has a thread of its own.
"""

from __future__ import annotations

import errno
import os
import queue
import threading
import time
from contextlib import suppress
from pathlib import Path

PIECES = 64
"""How many pieces of output may wait to be written; then the script waits, too."""
PATIENCE_SECONDS = 60.0
"""How long a file server may take to accept a piece, before the rest is given up."""
SETTLE_SECONDS = 10.0
"""How long the end of an attempt waits until its output is on disk."""


class OutputFiles:
    """The files of a session, one after the other."""

    def __init__(self) -> None:
        self._file: OutputFile | None = None

    def begin(self, path: Path, run: str) -> None:
        """Write what comes from now on to this file, behind what is in it already."""
        self.close()
        self._file = OutputFile(path)
        self._file.write(f"--- {run}, {_utc_now()}\n".encode())

    def write(self, data: bytes) -> None:
        """Write output to the present file."""
        if self._file:
            self._file.write(data)

    def settle(self) -> str:
        """Wait until all is written so far; return why it could not be, or nothing."""
        return self._file.settle(SETTLE_SECONDS) if self._file else ""

    def close(self) -> None:
        """Let the present file be written to its end, for which nobody waits."""
        if self._file:
            self._file.end()
            self._file = None


class OutputFile(threading.Thread):
    """One file, with the folders that it needs."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self._path, self._lost = path, ""
        self._pieces = queue.Queue[bytes | threading.Event | None](PIECES)
        self.start()

    def write(self, data: bytes | threading.Event | None) -> None:
        """Have something written, unless that failed before."""
        if self._lost:
            return
        try:
            self._pieces.put(data, timeout=PATIENCE_SECONDS)
        except queue.Full:
            self._lost = _silent(PATIENCE_SECONDS)

    def settle(self, patience: float) -> str:
        """Wait until all is on disk; return the path and why it is not, or nothing."""
        settled = threading.Event()
        self.write(settled)
        is_settled = bool(self._lost) or settled.wait(patience)
        why = self._lost or ("" if is_settled else _silent(patience))
        return f"{self._path}: {why}" if why else ""

    def end(self) -> None:
        """Close the file once all is written."""
        with suppress(queue.Full):
            self._pieces.put(None, block=False)

    def run(self) -> None:
        """Write until the end; after a failure only answer those that wait."""
        file = -1
        while (piece := self._pieces.get()) is not None:
            try:
                if not self._lost:
                    file = _opened(self._path) if file < 0 else file
                    _put(file, piece)
            except OSError as error:
                self._lost = error.strerror or str(error)
            if isinstance(piece, threading.Event):
                piece.set()
        if file >= 0:
            os.close(file)


def _opened(path: Path) -> int:
    """Open the file to append to it, and make its folders; a link of somebody is not followed."""
    for folder in reversed(path.parents):
        folder.mkdir(0o755, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(path, flags, 0o644)


def _put(file: int, piece: bytes | threading.Event) -> None:
    """Write a piece; where somebody waits, have all of it on disk."""
    if isinstance(piece, threading.Event):
        _sync(file)
        return
    rest = memoryview(piece)
    while rest:
        rest = rest[os.write(file, rest) :]


def _sync(file: int) -> None:
    """Have it on disk: a file server may refuse only then what it has taken."""
    try:
        os.fsync(file)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # what is no disk
            raise


def _silent(patience: float) -> str:
    return f"its file system has not answered within {patience:g} s"


def _utc_now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
