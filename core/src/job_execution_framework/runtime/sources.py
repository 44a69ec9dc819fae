"""Writes the sources of a session's scripts as files. Used by `child_runner`.

Each is a module that can be imported by its name, for other processes (`multiprocessing`), and to
unpickle objects of classes that a script defines.
"""

from __future__ import annotations

from pathlib import Path

from job_execution_framework.domain.script import Source, module_of

ENSO = '''\
"""What the scripts of a session share; another process has one of its own, which begins empty."""

shared = {}
'''


class Sources:
    """The files of one session's scripts, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files, self._texts = dict[str, Path](), dict[str, str]()
        self.path = [str(folder)]
        """Folders that are added to the end of `sys.path`: this one, and the folders of the library
        that scripts came from, so that they can import the files beside them."""
        folder.mkdir(mode=0o700, exist_ok=True)
        (folder / "enso.py").write_text(ENSO, "utf-8")

    def file(self, script: str) -> str:
        """Return the file that tracebacks of the script name; empty where there is none."""
        return str(self._files.get(script, ""))

    def add(self, script: str, source: Source) -> str:
        """Write a script's source, and return the file that tracebacks will name.

        It is the library's own file as long as that still has the source of the plan.
        """
        known, copy = Path(source.file), self._folder / f"{module_of(script)}.py"
        if self._texts.get(script) != source.text:
            copy.write_text(source.text, "utf-8", "backslashreplace")
            self._texts[script] = source.text
        is_known = known.is_absolute() and _reads(known) == source.text
        self._files[script] = known if is_known else copy
        if is_known and str(known.parent) not in self.path:
            self.path.append(str(known.parent))
        return self.file(script)


def _reads(file: Path) -> str | None:
    try:
        return file.read_text("utf-8")
    except (OSError, ValueError):
        return None
