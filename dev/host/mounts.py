"""Finds and unmounts what is mounted below a folder, before files there are removed.

The kernel is asked, and not psutil: that reads /etc/mtab, which may be an outdated plain file.
Called by cleanup.py, and where images are built.
"""

from pathlib import Path

from dev.host import external

_OCTAL = {r"\040": " ", r"\011": "\t", r"\012": "\n", r"\134": "\\"}


def below(folder: Path) -> list[str]:
    """Return what is mounted there, the last one first."""
    return [point for point, _ in reversed(_table()) if Path(point).is_relative_to(folder)]


def is_overlay(folder: Path) -> bool:
    """Say whether the folder's file system is an overlay, which takes no other one on it."""
    holders = [(len(point), kind) for point, kind in _table() if folder.is_relative_to(point)]
    return max(holders)[1] == "overlay"


def unmount_below(folder: Path) -> None:
    """Unmount all of it lazily: a mount that is in use goes when its last user ends."""
    for point in below(folder):
        external.run("umount", "--lazy", point)


def _table() -> list[tuple[str, str]]:
    """Return every mount point, with the kind of its file system."""
    rows = [line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return [(_readable(row[4]), row[row.index("-") + 1]) for row in rows]


def _readable(point: str) -> str:
    for code, character in _OCTAL.items():
        point = point.replace(code, character)
    return point
