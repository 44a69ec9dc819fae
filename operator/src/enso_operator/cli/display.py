"""Standard output and standard error of all commands; write errors never stop a command.

`__main__` replaces the streams once. After a full disk, a closed terminal or a closed pipe, further
output is dropped and the command continues. Characters that a terminal cannot show are escaped.
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

_closed_pipes: set[int] = set()
"""File descriptors whose reader has closed the pipe."""
REFUSED = 2
"""The exit code of a command that could not be done."""


def refuse(sentence: str) -> int:
    """Print on standard error why a command cannot be done; return its exit code."""
    print(f"enso: {sentence}", file=sys.stderr)
    return REFUSED


def exit_if_pipe_closed() -> None:
    """Exit once the reader has closed the pipe (`| head`); for commands that only print."""
    if 1 in _closed_pipes:
        raise SystemExit(0)


def replace_streams() -> None:
    """Replace the streams of this process; a stream that is closed stays closed."""
    for number in (0, 1, 2):
        with suppress(OSError):
            os.fstat(number)
            continue
        os.open(os.devnull, os.O_RDWR)  # it takes this number, so that no other file gets it
    sys.stdout, sys.stderr = _robust(sys.stdout), _robust(sys.stderr)


def _robust(stream: TextIO) -> TextIO:
    if not isinstance(stream, io.TextIOWrapper):  # None where it was closed
        return stream
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_Descriptor(stream.fileno(), "w", closefd=False)),
        encoding=stream.encoding,
        errors="backslashreplace",
        # With PYTHONUNBUFFERED a stream writes through; here line buffering is soon enough.
        line_buffering=stream.line_buffering or stream.write_through,
    )


class _Descriptor(io.FileIO):
    """A file descriptor whose writes always succeed: after an error, data is dropped."""

    def write(self, data: ReadableBuffer, /) -> int:
        """Write the data, or drop it after an error."""
        try:
            while (written := super().write(data)) is None:  # the descriptor is non-blocking
                select.select([], [self], [])
        except OSError as error:
            self._redirect_to_null(error)
            return memoryview(data).nbytes
        return written

    def _redirect_to_null(self, error: OSError) -> None:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, self.fileno())
        os.close(null)
        if isinstance(error, BrokenPipeError):
            _closed_pipes.add(self.fileno())
        elif self.fileno() == 1:
            why = f"standard output cannot be written: {error.strerror}"
            with suppress(OSError):
                os.write(2, f"enso: nothing more is shown, as {why}\n".encode())
