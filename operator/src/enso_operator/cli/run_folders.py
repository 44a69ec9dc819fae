"""The folders on disk in which `enso run` stores runs: one folder for each run of a manifest.

A folder has the job's ``journal``, the ``manifest`` as it was run, ``context.json`` (what else the
run depends on), the ``sessions``, and ``lock``, which the process that drives the job holds.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from enso_operator.sessions.local.state_folders import make_private, state_directory

FOLDERS_KEPT = 10
"""Runs of one manifest that are kept on disk."""
_HASH = 8


@dataclass(frozen=True)
class Context:
    """What a run depends on besides its manifest: a resume uses the same."""

    directory: str
    """The working directory of the run, for relative paths."""
    scripts_path: str | None
    """ENSO_SCRIPTS_PATH; None if it was not set."""
    library: Mapping[str, str] = field(default_factory=dict[str, str])
    """For each script the digest of what it ran: the library may have another source later."""
    arguments: Mapping[str, Mapping[str, object]] = field(
        default_factory=dict[str, Mapping[str, object]]
    )
    """For each script the arguments that resumes have changed."""
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    """The parameters of a template, as they were written on the command line."""


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

    @property
    def manifest(self) -> Path:
        """The manifest as it was run last; its suffix is that of the original file."""
        return next(self.path.glob("manifest.*"), self.path / "manifest")

    def save_manifest(self, text: str, suffix: str) -> None:
        """Save the manifest as it is run now."""
        self.manifest.unlink(missing_ok=True)
        self.path.joinpath(f"manifest{suffix}").write_text(text, "utf-8")

    @property
    def context(self) -> Context | None:
        """What the run depends on; None for a run of an earlier release."""
        try:
            return Context(**json.loads(self._context.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def save_context(self, context: Context) -> None:
        """Save what the run depends on."""
        self._context.write_text(json.dumps(asdict(context)), "utf-8")

    @property
    def _context(self) -> Path:
        return self.path / "context.json"

    def has_begun(self) -> bool:
        """Whether the journal has a complete record: before that there is no job."""
        return self.journal.exists() and b"\n" in self.journal.read_bytes()

    def lock(self) -> bool:
        """Lock the folder until this process ends; return False if another process holds it."""
        file = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        return True


@dataclass(frozen=True)
class Runs:
    """The folder with all runs of one manifest."""

    path: Path
    links: tuple[Path, ...] = ()
    """Symbolic links to the folder, for a manifest that is itself a symbolic link."""

    @property
    def job_name(self) -> str:
        """The name of the job."""
        return self.path.name[: -_HASH - 1]

    def last(self) -> RunFolder | None:
        """Return the folder of the last run whose journal has a record."""
        begun = [folder for folder in self._all() if folder.has_begun()]
        return begun[-1] if begun else None

    def new(self) -> RunFolder:
        """Create the folder of the next run, and delete the oldest folders."""
        folders = self._all()
        number = int(folders[-1].path.name) + 1 if folders else 1
        folder = RunFolder(self.path / str(number))
        make_private(folder.path)
        for old in folders[: max(0, len(folders) + 1 - FOLDERS_KEPT)]:
            shutil.rmtree(old.path)
        return folder

    @contextmanager
    def locked(self) -> Generator[None]:
        """Lock all runs of this manifest for a moment: no other process starts or resumes one."""
        make_private(self.path.parent)
        make_private(self.path)
        with (self.path / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for name in self.links:
                if not name.exists():
                    name.unlink(missing_ok=True)  # a link whose target was removed
                    name.symlink_to(self.path.name)
            yield

    def _all(self) -> list[RunFolder]:
        """Return the folders of all runs, the oldest first."""
        numbers = [int(path.name) for path in self.path.glob("*") if path.name.isdigit()]
        return [RunFolder(self.path / str(number)) for number in sorted(numbers)]


def runs_of(manifest: Path, name: str) -> Runs:
    """Return the runs of a manifest; the file itself may have been deleted.

    Manifests with the same name in two folders are two jobs. A symbolic link to a manifest is the
    same job as the file, also after the link was changed to another file.
    """
    candidates = [state_directory() / f"{name}-{key}" for key in _keys(manifest)]
    path = next((folder for folder in candidates if folder.is_dir()), candidates[-1]).resolve()
    return Runs(path, tuple(folder for folder in candidates if folder != path))


def known_runs(manifest: Path) -> Runs | None:
    """Return the runs of a manifest that cannot be read, so that its job's name is unknown."""
    for key in _keys(manifest):
        folders = [path for path in state_directory().glob(f"*-{key}") if path.is_dir()]
        if folders:
            newest = max(folders, key=lambda path: path.stat().st_mtime)
            return Runs(newest.resolve())
    return None


def _keys(manifest: Path) -> list[str]:
    """Return hashes of the manifest's path: as the user wrote it, and without symbolic links."""
    absolute, real = manifest.absolute(), manifest.resolve()
    plain = Path(os.path.normpath(absolute))
    paths = dict.fromkeys([plain if plain.resolve() == real else absolute, real])
    return [
        hashlib.sha256(str(path).encode("utf-8", "surrogateescape")).hexdigest()[:_HASH]
        for path in paths
    ]
