"""What `enso` itself says."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version


def test_the_version_is_told_alone() -> None:
    command = [sys.executable, "-m", "enso_operator", "--version"]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert told.stdout.split(",")[0] == f"enso {version('enso-operator')}"
    assert (told.stdout.count("\n"), told.stderr) == (1, "")
