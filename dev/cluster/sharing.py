"""One cluster for several processes: used by the tests, whose workers share one per run.

Everyone who uses a cluster holds a shared lock on a file. The kernel drops it when a process
ends, however it ends: so the last one out stops the cluster, and a cluster that nobody holds was
left behind by a run that was killed, and is stopped by the next one.
"""

import fcntl
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from dev.checkout import STATE, TEST_PREFIX, say
from dev.cluster import plane
from dev.cluster.plane import Cluster

_KEPT = 3600.0


@contextmanager
def shared(key: str) -> Generator[Cluster]:
    """Give everyone with this key the same cluster (with audit log); the last one stops it."""
    with claimed(key) as name:
        yield plane.start(name, audit=True)


@contextmanager
def claimed(key: str) -> Generator[str]:
    """Yield the name of a cluster, in use until the last user leaves, who stops it."""
    name = f"{TEST_PREFIX}{key}"
    users = _users(name)
    users.parent.mkdir(parents=True, exist_ok=True)
    with users.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        remove_abandoned()
        yield name
    _stop_if_unused(Cluster(name))


def remove_abandoned() -> None:
    """Stop the clusters of test runs that ended without doing so, and clear away old files."""
    for folder in (STATE / "clusters").glob(f"{TEST_PREFIX}*"):
        if _stop_if_unused(Cluster(folder.name)):
            say(f"Stopped {folder.name}, which a test run had left behind")
    for file in STATE.glob(f"{TEST_PREFIX}*"):
        if _is_old(file) and not Cluster(file.name.partition(".")[0]).folder.exists():
            file.unlink(missing_ok=True)


def _is_old(file: Path) -> bool:
    """Say whether the file is so old that no run opens it; False where it was just removed."""
    try:
        return time.time() - file.stat().st_mtime > _KEPT
    except FileNotFoundError:
        return False


def _stop_if_unused(cluster: Cluster) -> bool:
    with _users(cluster.name).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        cluster.stop()
        return True


def _users(name: str) -> Path:
    return STATE / f"{name}.users"
