"""Who has the node of this machine: there is one, whatever checkout or test run started it.

A claim names the folder of a cluster. Whoever starts or ends a node holds the machine's lock. A
claim that was left behind, by a test run or a session that was killed, counts for nothing.
Whoever starts a node, and whoever stops a cluster, comes through here.
"""

import fcntl
import json
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from dev.checkout import TEST_PREFIX, Failed, locked
from dev.host import cleanup, processes
from dev.host.places import CLAIM, HOME, LOCK

_POLL = 0.5


def owner() -> Path | None:
    """Return the folder of the cluster that has the node, if one has."""
    try:
        return Path(json.loads(CLAIM.read_text())["folder"])
    except (FileNotFoundError, ValueError, KeyError):
        return None


@contextmanager
def taken(folder: Path, *, patience: float = 0.0) -> Generator[None]:
    """Hold the machine's lock and own the node; wait `patience` seconds for a test run's."""
    deadline = time.monotonic() + patience
    while True:
        with locked(LOCK, waiting_for="another start or stop of the node"):
            holder = _holder(folder)
            if holder is None:
                CLAIM.write_text(json.dumps({"folder": str(folder)}))
                yield
                return
        if not _is_test(holder) or time.monotonic() > deadline:
            raise Failed(_sentence(holder))
        time.sleep(_POLL)


@contextmanager
def released(folder: Path) -> Generator[None]:
    """End the node, if it is ours, and hold the machine's lock until its cluster is gone too."""
    if owner() != folder:
        yield
        return
    with locked(LOCK, waiting_for="another start or stop of the node"):
        is_ours = owner() == folder  # another cluster may have got the node while this waited
        if is_ours:
            cleanup.clear()
        yield
        if is_ours:
            CLAIM.unlink(missing_ok=True)


def _holder(folder: Path) -> Path | None:
    """Return who else has the node; remove a node that was left behind."""
    other = owner()
    if other is None or other == folder:
        return None
    if not _is_left_behind(other):
        return other
    cleanup.clear()
    processes.end(other)  # the control plane of a test run that was killed
    return None


def _is_test(folder: Path) -> bool:
    return folder.name.startswith(TEST_PREFIX)


def _is_left_behind(folder: Path) -> bool:
    """Say whether nobody will end it: a test run's users hold a lock (sharing.py) while they run.

    Any part of a developer's cluster may be down, and `make cluster` would repair it.
    """
    if not _is_test(folder):
        return not (processes.running(HOME) or processes.running(folder))
    users = folder.parents[1] / f"{folder.name}.users"
    if not users.exists():
        return True
    with users.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def _sentence(holder: Path) -> str:
    checkout = holder.parents[3]
    if _is_test(holder):
        return f"A test run in {checkout} has this machine's node: try again when it has ended"
    return f"The cluster of {checkout} has this machine's node: `make cluster-down` there first"
