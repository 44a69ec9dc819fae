"""Runs the machine's programs; an error has their output. Used by dev/host and dev/node."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from dev.checkout import Failed
from dev.host import requirements

_LINES = 5


def run(
    name: str,
    *arguments: str,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    log: Path | None = None,
) -> str:
    """Return what the program prints, or write it to a log; Failed if it fails."""
    command = [requirements.program(name), *arguments]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    if log is not None:
        log.write_text(said)
    if done.returncode != 0:
        where = f" ({log})" if log else ""
        tail = "\n".join(f"  {line}" for line in said.splitlines()[-_LINES:])
        raise Failed(f"`{name} {' '.join(arguments[:2])} …` failed{where}:\n{tail}")
    return done.stdout


def succeeds(name: str, *arguments: str, environment: Mapping[str, str] | None = None) -> bool:
    """Say whether the program exits with code 0; its output is dropped."""
    command = [requirements.program(name), *arguments]
    whole = {**os.environ, **(environment or {})}
    return subprocess.run(command, capture_output=True, check=False, env=whole).returncode == 0
