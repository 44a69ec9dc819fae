"""Python files as scripts of a library: what each takes, and what keeps it from being one.

`enso scripts` reads them; nothing of them is run or imported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from enso_operator.api.document import Document
from enso_operator.api.fields import NAME, PATTERN_HINTS
from enso_operator.api.v1alpha1 import API_VERSION, LARGEST_LIBRARY_SOURCE
from enso_operator.manifests.parameters import fields_of
from job_execution_framework.domain.arguments import misdefined
from job_execution_framework.domain.parameters import Parameters
from job_execution_framework.domain.script import LONGEST_NAME, Source
from job_execution_framework.service_layer.main_function import Reading, read
from job_execution_framework.service_layer.signature import description_in, parameters_in


@dataclass(frozen=True)
class ScriptFile:
    """A script of a library, with its source."""

    name: str
    """The name of its EnsoScript."""
    source: Source

    @cached_property
    def reading(self) -> Reading:
        """What its source says of its `main`."""
        return read(self.source)

    @property
    def parameters(self) -> Parameters | None:
        """What it takes; None where that is not certain."""
        return parameters_in(self.reading)

    @property
    def description(self) -> str:
        """What it does."""
        return description_in(self.reading)

    def problems(self) -> Iterator[str]:
        """Yield a sentence, with file and line, for all that keeps it from being a script."""
        file = self.source.file
        if len(self.name) > LONGEST_NAME or not re.fullmatch(NAME, self.name):
            yield f"{file}: {self.name!r} cannot name an EnsoScript: {PATTERN_HINTS[NAME]}"
        if (size := len(self.source.text)) > LARGEST_LIBRARY_SOURCE:
            yield f"{file}: has {size} characters: use at most {LARGEST_LIBRARY_SOURCE}"
        for problem in self.reading.problems:
            yield f"{file}, line {problem.line}: {problem.why}"
        line = self.reading.main.lineno if self.reading.main else 1
        for parameter in self.parameters.listed if self.parameters else ():
            for why in misdefined(parameter):
                yield f"{file}, line {line}: parameter {parameter.name!r} {why}"

    def document(self) -> Document:
        """Return its EnsoScript."""
        described: Document = {"description": text} if (text := self.description) else {}
        spec = described | fields_of(self.parameters) | {"source": self.source.text}
        metadata = {"name": self.name}
        return {"apiVersion": API_VERSION, "kind": "EnsoScript", "metadata": metadata, "spec": spec}


def name_of(stem: str) -> str:
    """Return the name of the EnsoScript of a file: ``open_scene.py`` is open-scene."""
    return stem.replace("_", "-").lower()


def script_files(path: Path) -> list[ScriptFile]:
    """Return the script in a file, or those in a folder. Raises OSError and UnicodeDecodeError.

    A file of a folder whose name begins with ``_`` is no script: other files import it.
    """
    files = [path]
    if path.is_dir():
        files = sorted(file for file in path.glob("*.py") if not file.name.startswith("_"))
    return [
        ScriptFile(name_of(file.stem), Source(file.read_text(encoding="utf-8"), str(file)))
        for file in files
    ]


def problems_of(files: Sequence[ScriptFile]) -> list[str]:
    """Return a sentence for each problem of these scripts, also where two have one name."""
    problems = [problem for file in files for problem in file.problems()]
    names = [file.name for file in files]
    for name in sorted({name for name in names if names.count(name) > 1}):
        same = " and ".join(file.source.file for file in files if file.name == name)
        problems.append(f"{same} are both {name}: rename one of them")
    return problems
