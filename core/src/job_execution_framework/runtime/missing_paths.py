"""Looks for the paths that the scripts of a session are going to read, all at once.

It is done before the interpreter starts: where one is missing no licence is taken for nothing.
`session_runner` calls it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path

from job_execution_framework.service_layer.read_paths import ReadPath

PATIENCE_SECONDS = 60.0
"""How long a file server may take to answer about all of them."""


def missing(paths: Sequence[ReadPath], patience: float = PATIENCE_SECONDS) -> list[str]:
    """Return a sentence for each path that cannot be read."""
    if not paths:
        return []
    answers: list[str] = []

    def look() -> None:
        for read in paths:
            answers.append(_why_not(read.path))  # noqa: PERF401  # each as soon as it is known

    # A file server that is away holds up who asks it, and cannot be interrupted.
    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(patience)
    silent = f"its file system has not answered within {patience:g} s"
    known = [*answers]
    told = [*known, *[silent] * (len(paths) - len(known))]
    return [
        f"{read.script} reads {read.path} (argument {read.parameter!r}): {why}"
        for read, why in zip(paths, told, strict=True)
        if why
    ]


def _why_not(path: str) -> str:
    try:
        Path(path).stat()
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error)
    return "" if os.access(path, os.R_OK) else "Permission denied"
