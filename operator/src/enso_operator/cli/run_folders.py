"""Where `enso run` keeps what happened: one folder for each run of a manifest, the newest last.

A folder holds the job's ``journal``, the ``manifest`` as it was run, ``context.json``, what the
run depended on beside it, the ``sessions``, and ``lock``, which whoever drives the job holds.
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
    """What a run depends on beside its manifest: a resume goes on with the same."""

    directory: str
    """The folder that it began in: relative paths mean something there."""
    scripts_path: str | None
    """ENSO_SCRIPTS_PATH, None where it was not set."""
    library: Mapping[str, str] = field(default_factory=dict[str, str])
    """For each script a digest of what it ran, as the library may have another one later."""
    arguments: Mapping[str, Mapping[str, object]] = field(
        default_factory=dict[str, Mapping[str, object]]
    )
    """For each script the arguments that resumes have changed."""


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
        """The manifest as it was run last; its suffix says how it is written."""
        return next(self.path.glob("manifest.*"), self.path / "manifest")

    def keep_manifest(self, text: str, suffix: str) -> None:
        """Keep the manifest as it is run now."""
        self.manifest.unlink(missing_ok=True)
        self.path.joinpath(f"manifest{suffix}").write_text(text, "utf-8")

    @property
    def context(self) -> Context | None:
        """What the run depends on; a run of an earlier release does not tell."""
        try:
            return Context(**json.loads(self._context.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def keep_context(self, context: Context) -> None:
        """Keep what the run depends on."""
        self._context.write_text(json.dumps(asdict(context)), "utf-8")

    @property
    def _context(self) -> Path:
        return self.path / "context.json"

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


@dataclass(frozen=True)
class Runs:
    """All runs of one manifest, under the names by which it is known."""

    path: Path
    names: tuple[Path, ...] = ()
    """Links to the folder: a manifest that is a link is known by its own name, too."""

    @property
    def job_name(self) -> str:
        """The name of the job."""
        return self.path.name[: -_HASH - 1]

    def last(self) -> RunFolder | None:
        """Return the folder of the last run that came as far as having a job."""
        begun = [folder for folder in self._all() if folder.has_begun()]
        return begun[-1] if begun else None

    def new(self) -> RunFolder:
        """Make the folder of the next run, and forget the oldest ones."""
        known = self._all()
        number = int(known[-1].path.name) + 1 if known else 1
        folder = RunFolder(self.path / str(number))
        make_private(folder.path)
        for old in known[: max(0, len(known) + 1 - FOLDERS_KEPT)]:
            shutil.rmtree(old.path)
        return folder

    @contextmanager
    def alone(self) -> Generator[None]:
        """Let nobody else begin or take up a run of this manifest meanwhile: it takes a moment."""
        make_private(self.path.parent)
        make_private(self.path)
        with (self.path / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for name in self.names:
                if not name.exists():
                    name.unlink(missing_ok=True)  # what it pointed to was removed
                    name.symlink_to(self.path.name)
            yield

    def _all(self) -> list[RunFolder]:
        """Return the folders of all runs, the oldest first."""
        numbers = [int(path.name) for path in self.path.glob("*") if path.name.isdigit()]
        return [RunFolder(self.path / str(number)) for number in sorted(numbers)]


def runs_of(manifest: Path, name: str) -> Runs:
    """Return the runs of a manifest, which need not be there any more.

    Two manifests of one name in two folders are two jobs. One that is reached through a link is
    the same job as the file, and stays it where the link moves on to another file.
    """
    places = [state_directory() / f"{name}-{key}" for key in _keys(manifest)]
    kept = next((place for place in places if place.is_dir()), places[-1]).resolve()
    return Runs(kept, tuple(place for place in places if place != kept))


def known_runs(manifest: Path) -> Runs | None:
    """Return the runs of a manifest that cannot be read, so that its job's name is not known."""
    for key in _keys(manifest):
        found = [path for path in state_directory().glob(f"*-{key}") if path.is_dir()]
        if found:
            newest = max(found, key=lambda path: path.stat().st_mtime)
            return Runs(newest.resolve())
    return None


def _keys(manifest: Path) -> list[str]:
    """Return what tells the manifest from others: by the path that was given, by the file's own."""
    given, real = manifest.absolute(), manifest.resolve()
    plain = Path(os.path.normpath(given))
    paths = dict.fromkeys([plain if plain.resolve() == real else given, real])
    return [
        hashlib.sha256(str(path).encode("utf-8", "surrogateescape")).hexdigest()[:_HASH]
        for path in paths
    ]
