"""The user's state folder on this machine, and private folders in it."""

from __future__ import annotations

import os
from pathlib import Path

from job_execution_framework.domain.errors import EnsoError

PRIVATE = 0o700


class Homeless(EnsoError):
    """This user has no home directory and no state folder is configured."""


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
    """Make a folder, and its missing parents, with mode 0700.

    An existing folder of this user gets that mode: an earlier release left it to the umask.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(mode=PRIVATE, exist_ok=True)  # another process may make it at the same moment
        path.chmod(PRIVATE)  # a umask may have taken away even that
    if folder.stat().st_uid == os.geteuid() and folder.stat().st_mode & 0o777 != PRIVATE:
        folder.chmod(PRIVATE)
