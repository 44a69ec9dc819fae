"""The script library: where the scripts that jobs name are found.

First come folders of ``*.py`` on ``ENSO_SCRIPTS_PATH``, then entry points of the group
``enso.scripts``, then the scripts of this package. A name with a colon is a function,
``package.module:function``. Adding a script means adding a file or an entry point; nothing here
changes. Used by `plan` and `in_process`.
"""

from __future__ import annotations

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
            Path(folder).absolute()
            for folder in os.environ.get(PATH_VARIABLE, "").split(os.pathsep)
            if folder
        ]
    )

    def find(self, name: str) -> Source | Function:
        """Return the script from the first place that has it."""
        if ":" in name:
            return Function(name)
        for folder in self.folders:
            if found := _in_folder(folder, name):
                return found
        for entry in _entry_points():
            if _key(entry.name) == _key(name):
                return Function(entry.value if ":" in entry.value else f"{entry.value}:main")
        if not _key(name).startswith("_") and (found := _in_folder(_built_in(), name)):
            return found
        raise ScriptNotFound(self._not_found(name))

    def names(self) -> list[str]:
        """Return the names of all scripts that can be found."""
        names = {name for folder in (*self.folders, _built_in()) for name in _listing(folder)}
        return sorted(names | {_key(entry.name) for entry in _entry_points()})

    def _not_found(self, name: str) -> str:
        import difflib  # noqa: PLC0415  # slow to import, and seldom needed

        known = self.names()
        near = difflib.get_close_matches(_key(name), known, n=1)
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
    """Return our entry points; cached, as reading them opens a file of each installed package."""
    from importlib.metadata import entry_points  # noqa: PLC0415  # slow to import, and seldom needed

    return entry_points(group=GROUP)


def _built_in() -> Traversable:
    from importlib import resources  # noqa: PLC0415  # slow to import, and seldom needed

    return resources.files("job_execution_framework.scripts")


def _key(name: str) -> str:
    """Return the spelling in which names are compared."""
    return name.replace("-", "_")


def _in_folder(folder: Path | Traversable, name: str) -> Source | None:
    """Return the script of this name from a folder; a name with a slash leads to no other."""
    spellings = (_key(name), _key(name).replace("_", "-")) if "/" not in name else ()
    for path in (folder / f"{spelling}.py" for spelling in spellings):
        try:
            if path.is_file():
                return Source(path.read_text(encoding="utf-8"), str(path))
        except (OSError, ValueError) as error:  # also a name that is too long
            raise ScriptNotFound(
                f"script {name!r} is {path}, which cannot be read: {error}"
            ) from error
    return None


def _listing(folder: Path | Traversable) -> list[str]:
    try:
        files = [Path(file.name) for file in folder.iterdir()]
    except OSError:
        return []  # unreadable: no names to suggest; `find` reports the error
    scripts = (file.stem for file in files if file.suffix == ".py")
    return [_key(name) for name in scripts if not name.startswith("_")]
