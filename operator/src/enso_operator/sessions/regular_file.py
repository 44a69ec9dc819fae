"""Reads files in a session's folder, where scripts may have put anything in their place."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def piece_of(path: Path, position: int, size: int) -> bytes:
    """Return bytes of a file; empty where there is no regular file of this name."""
    how = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        file = os.open(path, how)
    except OSError:
        return b""  # not created yet, or removed by a script
    try:
        is_file = stat.S_ISREG(os.fstat(file).st_mode)
        return os.pread(file, size, position) if is_file else b""
    finally:
        os.close(file)
