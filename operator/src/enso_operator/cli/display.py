"""Standard output and error of every command; failures to write to them never stop the command.

After a full disk, a closed terminal or a closed pipe further output is dropped, and the work goes
on. Characters that a terminal cannot show are written as escapes.
"""

from __future__ import annotations

import io
import os
import select
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_left: set[int] = set()
"""File descriptors whose reader has closed the pipe."""
REFUSED = 2
"""The exit code of a command that could not do what it is for."""


def refuse(sentence: str) -> int:
    """Say on standard error why a command cannot do what it is for; return its exit code."""
    print(f"enso: {sentence}", file=sys.stderr)
    return REFUSED


def end_if_nobody_reads() -> None:
    """End a command that only shows something, once its reader has closed the pipe (`| head`)."""
    if 1 in _left:
        raise SystemExit(0)


def make_steady() -> None:
    """Replace the streams of this process. One that was closed before stays closed."""
    for number in (0, 1, 2):
        with suppress(OSError):
            os.fstat(number)
            continue
        os.open(os.devnull, os.O_RDWR)  # it gets the number: no file of ours ever has it
    sys.stdout, sys.stderr = _steady(sys.stdout), _steady(sys.stderr)


def _steady(stream: TextIO) -> TextIO:
    if not isinstance(stream, io.TextIOWrapper):  # None where it was closed
        return stream
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_Descriptor(stream.fileno(), "w", closefd=False)),
        encoding=stream.encoding,
        errors="backslashreplace",
        # With PYTHONUNBUFFERED a stream writes through; whole lines are as soon as people can read.
        line_buffering=stream.line_buffering or stream.write_through,
    )


class _Descriptor(io.FileIO):
    """A file descriptor that takes everything: what cannot be written is dropped."""

    def write(self, data: ReadableBuffer, /) -> int:
        """Write the data, or drop it after an error."""
        try:
            while (written := super().write(data)) is None:  # somebody made it non-blocking
                select.select([], [self], [])
        except OSError as error:
            self._fall_silent(error)
            return memoryview(data).nbytes
        return written

    def _fall_silent(self, error: OSError) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)
        if isinstance(error, BrokenPipeError):
            _left.add(self.fileno())
        elif self.fileno() == 1:
            why = f"standard output cannot be written: {error.strerror}"
            with suppress(OSError):
                os.write(2, f"enso: nothing more is shown, as {why}\n".encode())
