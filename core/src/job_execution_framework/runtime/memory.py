"""Reads from the kernel whether this container ran out of memory, and how much it may use.

Under cgroup v1 the kernel kills only one process. The counter that is read here is all that
distinguishes this SIGKILL from any other. Under v2 the whole container may be killed, which the
coordinator sees.
"""

from __future__ import annotations

import re
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
_KILLS = ("memory.events", "memory/memory.oom_control")
_LIMITS = ("memory.max", "memory/memory.limit_in_bytes")
_NO_LIMIT = 2**60
"""Bytes from which a limit counts as none: cgroup v1 writes a huge number, v2 a word."""


def kills() -> int:
    """Return how many processes of this cgroup were killed because memory had run out."""
    found = re.search(r"^oom_kill (\d+)$", _first(_KILLS), re.MULTILINE)
    return int(found[1]) if found else 0


def limit() -> str:
    """Return the limit, such as ``16 GiB``; nothing where there is none."""
    text = _first(_LIMITS).strip()
    if not text.isdigit() or int(text) >= _NO_LIMIT:
        return ""
    size, unit = float(text), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if size < 1024:  # noqa: PLR2004  # the next unit
            break
        size, unit = size / 1024, larger
    return f"{size:.4g} {unit}"


def _first(names: tuple[str, ...]) -> str:
    """Return the text of the first file that exists: v2 and v1 have different ones."""
    for name in names:
        try:
            return (CGROUP / name).read_text("ascii")
        except (OSError, ValueError):
            continue
    return ""
