"""``enso scripts check``: what keeps files from being scripts, without a cluster."""

from __future__ import annotations

from pathlib import Path

from enso_operator.cli.display import refuse
from enso_operator.cli.scripts.files import ScriptFile, problems_of, script_files

FINE, PROBLEMS = 0, 1
"""Exit codes."""


def check(path: Path) -> int:
    """Print all problems of a file, or of all scripts in a folder; return the exit code."""
    files = read_files(path)
    if isinstance(files, str):
        return refuse(files)
    problems = problems_of(files)
    for problem in problems:
        print(problem)
    if not problems:
        print(f"{path}: {len(files)} script{'' if len(files) == 1 else 's'}, no problems")
    return PROBLEMS if problems else FINE


def read_files(path: Path) -> list[ScriptFile] | str:
    """Return the scripts at a path, or a sentence why there are none."""
    try:
        files = script_files(path)
    except OSError as error:
        return f"{error.filename or path} cannot be read: {error.strerror or error}"
    except UnicodeDecodeError as error:
        return f"a file of {path} is no UTF-8 text: {error.reason}"
    return files or f"{path} has no scripts: no *.py but those that begin with _"
