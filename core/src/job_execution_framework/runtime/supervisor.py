"""Runs the plan of a session, once, and writes its events into a journal.

``python -m job_execution_framework.runtime PLAN DIRECTORY [CONTROL GRACE SUMMARY]``. The directory
belongs to this one session run and holds:

========== ==========================================================================
``marker`` made with ``O_EXCL``, so that a second start of the same run starts nothing
``alive``  locked by the supervisor as long as it lives
``journal`` the records
``control`` a `SessionControl` that the coordinator writes, as JSON
========== ==========================================================================

In a Pod CONTROL is another file than that, GRACE is how many seconds scripts have to clean up, and
a SUMMARY is kept beside the journal. There SIGTERM means that the Pod is taken away: the running
script may clean up, and its outcome stays unknown. Elsewhere SIGTERM cancels the session.

It imports little: what runs the plan, `session`, is loaded while the interpreter starts.
"""

from __future__ import annotations

import fcntl
import gc
import os
import time
from contextlib import suppress
from pathlib import Path

from job_execution_framework.runtime.head_start import head_start

MARKER, ALIVE, CONTROL = "marker", "alive", "control"
GRACE_SECONDS = 5.0
"""From SIGTERM to SIGKILL, for a script's own clean-up."""
LOCK_TRIES, LOCK_PAUSE_SECONDS = 20, 0.01
"""How often a lock that another process holds is tried, and how long after the try before."""


def main(
    plan_file: str,
    directory: str,
    control: str = "",
    grace: str = str(GRACE_SECONDS),
    summary_file: str = "",
) -> int:
    """Run the plan; return 0 where its journal is complete, even if scripts failed."""
    root = Path(directory)
    alive = os.open(root / ALIVE, os.O_WRONLY | os.O_CREAT, 0o644)
    if not _lock(alive):
        return 0  # the run has its supervisor
    is_first, environment = first_start(root), dict(os.environ)
    plan, control_file = Path(plan_file), Path(control or root / CONTROL)
    launcher = head_start(plan, root, control_file) if is_first else None
    gc.disable()  # what is imported is no garbage: looking for some would delay it
    from job_execution_framework.runtime import session  # noqa: PLC0415  # see above

    gc.enable()
    if not is_first:
        return session.refuse(root)
    files = session.Files(plan, root, control_file, Path(summary_file) if summary_file else None)
    return session.run(files, float(grace), environment, launcher)


def _lock(alive: int) -> bool:
    """Lock the file until this process ends. `is_alive` locks it, too, for an instant."""
    for _ in range(LOCK_TRIES):
        if _try_lock(alive, fcntl.LOCK_EX):
            return True
        time.sleep(LOCK_PAUSE_SECONDS)
    return False


def is_alive(directory: Path) -> bool:
    """Whether the supervisor of the session run in `directory` lives."""
    with suppress(FileNotFoundError), (directory / ALIVE).open("rb") as alive:
        return not _try_lock(alive.fileno(), fcntl.LOCK_SH)
    return False


def _try_lock(file: int, how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def first_start(root: Path) -> bool:
    """Make the marker; return whether this is the first start of the run."""
    try:
        (root / MARKER).touch(0o644, exist_ok=False)
    except FileExistsError:
        return False
    return True
