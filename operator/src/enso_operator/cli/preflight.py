"""Checks a manifest before anything of it runs; each problem has its line in the file.

`enso run` and `enso plan` call it. An argument that its script does not take is an error; a problem
of a source, which a newer Python may not have, is only a warning.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from enso_operator.manifests.load import ManifestError, as_lines
from enso_operator.manifests.manifest import Manifest
from enso_operator.manifests.yaml_reader import LineNumbers, parse
from job_execution_framework.domain.script import LibraryScript, Missing, Script, Source, Work
from job_execution_framework.domain.values import is_mapping
from job_execution_framework.service_layer.preflight import Problem, problems_of

_PYTHON = re.compile(r"python(3(\.\d+)?)?\Z")
_FLAG = re.compile(r"-[bBdEIOPqsSuv]+\Z")
_VERSION = re.compile(r"Python (\d+)\.(\d+)")
_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True)
class Finding:
    """One sentence about the file."""

    sentence: str
    is_certain: bool
    """Whether it is an error with every interpreter that the session may have."""


def check(
    file: Path, manifest: Manifest, scripts: Iterable[Script], works: Mapping[str, Work]
) -> list[str]:
    """Raise ManifestError if a problem is certain; else return the problems as warnings.

    A parameter of a template that is not used is a warning, too.
    """
    findings = preflight(file, manifest, scripts, works)
    if any(finding.is_certain for finding in findings):
        raise ManifestError(as_lines(file, [finding.sentence for finding in findings]))
    unused = (f"spec.parameters[{name}] is used nowhere in spec.job" for name in manifest.unused)
    said = [*unused, *(finding.sentence for finding in findings)]
    return [f"warning: {file}: {sentence}" for sentence in said]


def preflight(
    file: Path, manifest: Manifest, scripts: Iterable[Script], works: Mapping[str, Work]
) -> list[Finding]:
    """Return the problems of the scripts; `works` has what each of them runs, by its name."""
    problems = [
        (script, problem) for script in scripts for problem in _problems(works[script.name], script)
    ]
    if not problems:
        return []
    location = _SourceLocation(file, manifest)
    first = manifest.sessions[0].interpreter  # also that of finally scripts that name no session
    interpreters = {session.name: session.interpreter for session in manifest.sessions}
    return [
        Finding(
            location.sentence(script, works[script.name], problem),
            problem.line is None or _is_not_newer(interpreters.get(script.session, first)),
        )
        for script, problem in problems
    ]


def _problems(work: Work, script: Script) -> Iterator[Problem]:
    if isinstance(work, Missing):
        yield Problem(work.why)
    else:
        yield from problems_of(script, work)


class _SourceLocation:
    """Finds the lines of scripts in the file of a manifest."""

    def __init__(self, file: Path, manifest: Manifest) -> None:
        is_json = file.suffix.lower() == ".json"
        document = parse(manifest.text, is_json=is_json)
        self._is_resource = not (is_mapping(document) and "instructions" in document)
        self._place = manifest.place
        self._scripts = {
            key: [one.name for one in manifest.scripts if one.is_final == (key == "finally")]
            for key in ("scripts", "finally")
        }
        self._lines = None if is_json else LineNumbers(manifest.text)

    def sentence(self, script: Script, work: Work, problem: Problem) -> str:
        """Return a sentence that begins with the line and the field."""
        key = "finally" if script.is_final else "scripts"
        index = self._scripts[key].index(script.name)
        if not self._is_resource:
            path = f"instructions[{index}]{problem.argument and f' {problem.argument!r}'}"
            return self._at(("instructions", index), path, _in_library(work, problem))
        path = f"{'.'.join(self._place)}.{key}[{script.name}]"
        script_path: tuple[str | int, ...] = (*self._place, key, index)
        if problem.line is None and not isinstance(work, Missing):
            field = ("args", problem.argument)
            return self._at((*script_path, *field), ".".join((path, *field)), problem.why)
        if isinstance(script.work, LibraryScript):
            return self._at(
                (*script_path, "scriptRef"), f"{path}.scriptRef:", _in_library(work, problem)
            )
        line = problem.line or 1
        if self._lines and (exact := self._lines.within(line, *script_path, "source")):
            return f"line {exact}: {path}.source {problem.why}"
        return self._at((*script_path, "source"), f"{path}.source, line {line},", problem.why)

    def _at(self, location: tuple[str | int, ...], path: str, why: str) -> str:
        line = self._lines and self._lines.of(*location)
        return f"{f'line {line}: ' if line else ''}{path} {why}"


def _in_library(work: Work, problem: Problem) -> str:
    """Return the problem of a library script, with its file and line."""
    if isinstance(work, Source) and problem.line is not None:
        return f"{work.file}, line {problem.line}, {problem.why}"
    return problem.why


@cache
def _is_not_newer(interpreter: Sequence[str]) -> bool:
    """Whether the interpreter is known to be no newer than the one that runs this process."""
    program, is_plain = shutil.which(interpreter[0]), all(map(_FLAG.match, interpreter[1:]))
    if program is None or not is_plain or not _PYTHON.match(Path(interpreter[0]).name):
        return False  # an application's interpreter is not started: it may need a licence
    try:
        completed = subprocess.run(
            [program, "--version"],
            capture_output=True,
            text=True,
            check=True,
            timeout=_TIMEOUT_SECONDS,
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return False
    version = _VERSION.match(completed.stdout)
    return version is not None and (int(version[1]), int(version[2])) <= sys.version_info[:2]
