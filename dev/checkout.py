"""This checkout: its folders and locks, and how a command speaks to its developer.

Everything in dev uses it, and it imports nothing of dev.

What belongs to one checkout stays in its `.cache/`, so that two checkouts never meet; what is the
same for all of them (built programs) is in the user's cache folder, below the version it has.
"""

import fcntl
import hashlib
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]

STATE = (CHECKOUT / ".cache" / "cluster").resolve()
"""Locks and records of this checkout's clusters; kwokctl keeps their files in `clusters/NAME`."""

DEFAULT_NAME = f"enso-{hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:8]}"
"""The checkout's own cluster: a kubeconfig context has a name, so two checkouts have two names."""

TEST_PREFIX = "test-"
"""The names of the clusters of test runs begin so."""

AFRESH = "`make cluster-down cluster-up` starts with a new and empty one."
"""The advice of messages: it always works, and deletes the cluster's data."""


class Failed(Exception):
    """The command cannot be done; the message is a sentence for the developer."""


def user_cache() -> Path:
    """Return the folder for what every checkout of this user can share."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "enso-executer"


def say(line: str) -> None:
    """Tell the developer what happens; standard output stays free for answers."""
    print(line, file=sys.stderr, flush=True)


@contextmanager
def locked(path: Path, *, waiting_for: str = "") -> Generator[None]:
    """Hold the lock of that file; the kernel gives it back even if this process is killed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting_for:
                say(f"Waiting for {waiting_for}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
