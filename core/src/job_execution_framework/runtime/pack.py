"""Pack the supervisor into one file that any ``python3`` of version 3.10 or later can run."""

from __future__ import annotations

import shutil
import tempfile
import zipapp
from pathlib import Path

import job_execution_framework


def pack(target: Path) -> None:
    """Write the zipapp to `target`: ``python3 target PLAN DIRECTORY``."""
    package = Path(job_execution_framework.__file__).parent
    with tempfile.TemporaryDirectory() as folder:
        without_caches = shutil.ignore_patterns("__pycache__")
        shutil.copytree(package, Path(folder, package.name), ignore=without_caches)
        Path(folder, "__main__.py").write_text(Path(package, "runtime/__main__.py").read_text())
        zipapp.create_archive(folder, target, "/usr/bin/env python3", compressed=True)
