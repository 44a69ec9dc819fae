"""Folders of this user's own, on this machine: where state is kept, and who may look into it."""

from __future__ import annotations

import os
from pathlib import Path

from job_execution_framework.domain.errors import EnsoError

PRIVATE = 0o700


class Homeless(EnsoError):
    """This user has no folder for anything."""


def state_directory() -> Path:
    """Return the folder of this user's state, as the XDG base directory specification has it.

    Raises Homeless. A relative path in the environment is no path, as the specification says.
    """
    base = Path(os.environ.get("XDG_STATE_HOME", ""))
    if base.is_absolute():
        return base / "enso"
    try:
        home = Path.home()
    except RuntimeError:  # no HOME, and nobody of this number in the system's list of users
        home = Path()
    if not home.is_absolute():
        raise Homeless(
            f"there is no folder to keep state in: HOME is not set, and user {os.getuid()} has no "
            "home here; set HOME or XDG_STATE_HOME to a folder that you may write to"
        )
    return home / ".local" / "state" / "enso"


def make_private(folder: Path) -> None:
    """Make a folder that nobody else can look into, and what is missing above it likewise.

    One that is there already, and ours, becomes so: an earlier release left that to the umask.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(mode=PRIVATE, exist_ok=True)  # another process may make it at the same moment
        path.chmod(PRIVATE)  # a umask may have taken away even that
    if folder.stat().st_uid == os.geteuid() and folder.stat().st_mode & 0o777 != PRIVATE:
        folder.chmod(PRIVATE)
