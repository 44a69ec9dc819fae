"""The paths that the scripts of a session are going to read, which it looks for before it begins.

A plan has them, and `runtime.missing_paths` looks. What a script before it writes is not looked
for: it is not there yet.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from job_execution_framework.domain.parameters import Parameters, Type
from job_execution_framework.domain.script import Script
from job_execution_framework.domain.values import is_path


@dataclass(frozen=True)
class ReadPath:
    """A path that a script reads, and the argument that it is."""

    script: str
    parameter: str
    path: str


def read_paths(scripts: Iterable[tuple[Script, Parameters | None]]) -> tuple[ReadPath, ...]:
    """Return what the scripts read, in their order, and none of them writes before."""
    found: list[ReadPath] = []
    written: list[str] = []
    for script, takes in scripts:
        reads = [ReadPath(script.name, *path) for path in _paths(script, takes, "read")]
        found += [read for read in reads if not any(_overlap(read.path, path) for path in written)]
        written += [path for _, path in _paths(script, takes, "write")]
    return tuple(found)


def _paths(script: Script, takes: Parameters | None, access: str) -> Iterable[tuple[str, str]]:
    for parameter in takes.listed if takes else ():
        value = script.parameters.get(parameter.name, parameter.default)
        if parameter.type is Type.PATH and parameter.access == access:
            path = os.fspath(value) if is_path(value) else value
            if isinstance(path, str) and path:  # neither null nor a secret
                yield parameter.name, path


def _overlap(one: str, other: str) -> bool:
    """Whether two paths are the same, or one is a folder that the other is in."""
    shorter, longer = sorted((os.path.normpath(one), os.path.normpath(other)), key=len)
    return longer == shorter or longer.startswith(shorter.rstrip("/") + "/")
