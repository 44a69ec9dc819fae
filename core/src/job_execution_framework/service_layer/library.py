"""The script library: where a script that a job names is retrieved from.

Folders of ``*.py`` on ``ENSO_SCRIPTS_PATH``, entry points of the group ``enso.scripts``, the
scripts that come with this package, and ``package.module:function``. Adding a script means adding
a file or an entry point; nothing here changes.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from job_execution_framework.domain.errors import ScriptNotFound
from job_execution_framework.domain.script import Function, LibraryScript, Missing, Source, Work

if TYPE_CHECKING:
    from importlib.abc import Traversable
    from importlib.metadata import EntryPoints

GROUP = "enso.scripts"
PATH_VARIABLE = "ENSO_SCRIPTS_PATH"


class Library(Protocol):
    """Retrieves scripts by name."""

    def find(self, name: str) -> Source | Function:
        """Return what to run; raise ScriptNotFound, with a sentence that says where it looked."""
        ...


@dataclass(frozen=True)
class ScriptLibrary:
    """The library of this machine. `open_scene` and `open-scene` name the same script."""

    folders: Sequence[Path] = field(
        default_factory=lambda: [
            Path(folder) for folder in os.environ.get(PATH_VARIABLE, "").split(os.pathsep) if folder
        ]
    )

    def find(self, name: str) -> Source | Function:
        """Return the script from the first place that has it."""
        if ":" in name:
            return Function(name)
        key = name.replace("-", "_")
        for folder in self.folders:
            for path in (folder / f"{key}.py", folder / f"{key.replace('_', '-')}.py"):
                if path.parent == folder and _is_file(path, name):
                    return _read(path, name)
        for entry in _entry_points():
            if entry.name.replace("-", "_") == key:
                value = entry.value if ":" in entry.value else f"{entry.value}:main"
                return Function(value)
        built_in = _built_in() / f"{key}.py"
        if key.isidentifier() and not key.startswith("_") and _is_file(built_in, name):
            return Source(built_in.read_text(encoding="utf-8"), f"{key}.py")
        raise ScriptNotFound(self._not_found(name, key))

    def names(self) -> list[str]:
        """Return the names of all scripts that can be found."""
        files = [path for folder in self.folders for path in _listing(folder)]
        names = {path.stem.replace("-", "_") for path in files}
        names |= {entry.name.replace("-", "_") for entry in _entry_points()}
        names |= {
            Path(item.name).stem
            for item in _built_in().iterdir()
            if item.name.endswith(".py") and not item.name.startswith("_")
        }
        return sorted(names)

    def _not_found(self, name: str, key: str) -> str:
        known = self.names()
        near = difflib.get_close_matches(key, known, n=1)
        places = ", ".join(str(folder) for folder in self.folders) or f"{PATH_VARIABLE} is not set"
        if near:
            hint = f"did you mean {near[0]!r}?"
        else:
            hint = f"the library has {', '.join(known[:10])}{' …' if len(known) > 10 else ''}"  # noqa: PLR2004
        return f"there is no script {name!r} in the library ({places}): {hint}"


def resolved(work: Work, library: Library) -> Work:
    """Return `work` with a library script replaced by what the library has for it."""
    if not isinstance(work, LibraryScript):
        return work
    try:
        return library.find(work.name)
    except ScriptNotFound as error:
        return Missing(str(error))


@lru_cache(maxsize=1)
def _entry_points() -> EntryPoints:
    """Read once: it means opening a file of every package that is installed here."""
    from importlib.metadata import entry_points  # noqa: PLC0415  # dear, and seldom needed

    return entry_points(group=GROUP)


def _built_in() -> Traversable:
    from importlib import resources  # noqa: PLC0415  # dear, and seldom needed

    return resources.files("job_execution_framework.scripts")


def _is_file(path: Path | Traversable, name: str) -> bool:
    try:
        return path.is_file()
    except OSError as error:  # too long, or in a folder that is closed to us
        raise ScriptNotFound(f"script {name!r} cannot be looked up: {error}") from error


def _read(path: Path, name: str) -> Source:
    try:
        return Source(path.read_text(encoding="utf-8"), str(path))
    except (OSError, ValueError) as error:
        raise ScriptNotFound(f"script {name!r} is {path}, which cannot be read: {error}") from error


def _listing(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.glob("*.py") if not path.name.startswith("_")]
    except OSError:
        return []  # a folder that cannot be listed has no names to suggest; `find` tells the rest
