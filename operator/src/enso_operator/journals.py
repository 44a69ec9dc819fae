"""Where `enso run` keeps what happened: one folder for each run of a manifest, the newest last.

A folder holds the job's ``journal``, the ``manifest`` as it was run, the ``sessions``, and
``lock``, which whoever drives the job holds.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

FOLDERS_KEPT = 10
"""Runs of one manifest that are kept on disk."""


def state_directory() -> Path:
    """Return the folder of this user's state, as the XDG base directory specification has it."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "enso"


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run of one manifest."""

    path: Path

    @property
    def journal(self) -> Path:
        """The job's events."""
        return self.path / "journal"

    @property
    def sessions(self) -> Path:
        """A folder for each session run."""
        return self.path / "sessions"

    def manifest(self, suffix: str) -> Path:
        """Return the manifest as it was run last; its suffix says how it is written."""
        return self.path / f"manifest{suffix}"

    def has_begun(self) -> bool:
        """Whether the journal holds one whole record: until then there is no job."""
        return self.journal.exists() and b"\n" in self.journal.read_bytes()

    def lock(self) -> bool:
        """Hold the folder until this process ends; False where somebody else holds it."""
        file = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        return True


def last_run(manifest: Path, name: str) -> RunFolder | None:
    """Return the folder of the manifest's last run that came as far as having a job."""
    begun = [folder for folder in _runs(manifest, name) if folder.has_begun()]
    return begun[-1] if begun else None


def new_run(manifest: Path, name: str) -> RunFolder:
    """Make the folder of the next run, and forget the oldest ones."""
    known = _runs(manifest, name)
    number = int(known[-1].path.name) + 1 if known else 1
    folder = RunFolder(_parent(manifest, name) / str(number))
    folder.path.mkdir(mode=0o700, parents=True)
    for old in known[: max(0, len(known) + 1 - FOLDERS_KEPT)]:
        shutil.rmtree(old.path)
    return folder


def _runs(manifest: Path, name: str) -> list[RunFolder]:
    """Return the folders of all runs of this manifest, the oldest first."""
    parent = _parent(manifest, name)
    numbers = [int(path.name) for path in parent.glob("*") if path.name.isdigit()]
    return [RunFolder(parent / str(number)) for number in sorted(numbers)]


def _parent(manifest: Path, name: str) -> Path:
    """Two manifests of one name in two folders are two jobs."""
    place = hashlib.sha256(str(manifest.resolve()).encode("utf-8", "surrogateescape")).hexdigest()
    return state_directory() / f"{name}-{place[:8]}"
