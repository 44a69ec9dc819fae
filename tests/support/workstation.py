"""A manifest in a folder, and the real `enso run` on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.running import supervisors_of

DEADLINE_SECONDS = 60


@dataclass
class Workstation:
    """Runs `enso run` on one manifest; its state is kept below `root`."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def manifest(self) -> Path:
        return self.root / "job.json"

    @property
    def notes(self) -> list[str]:
        """The lines that scripts wrote into the file that the variable NOTES names."""
        file = self.root / "notes"
        return file.read_text().splitlines() if file.exists() else []

    def journal_lines(self) -> int:
        """Return the number of records in all journals, the job's and those of its sessions."""
        return sum(path.read_bytes().count(b"\n") for path in self.root.glob("state/**/journal"))

    def write(self, scripts: Sequence[Mapping[str, Any]], **spec: object) -> None:
        """Write the manifest of a job of these scripts."""
        document = {
            "apiVersion": "enso.dev/v1alpha1",
            "kind": "EnsoJob",
            "metadata": {"name": "job"},
            "spec": {"scripts": list(scripts), **spec},
        }
        self.manifest.write_text(json.dumps(document))

    def start(
        self,
        *options: str,
        file: Path | str = "",
        folder: Path | None = None,
        **streams: Any,  # noqa: ANN401  # as Popen takes them
    ) -> subprocess.Popen[str]:
        """Start `enso run` on the manifest, or on another file, from this folder or another."""
        variables = {
            # As in a shell with an active venv, in which people start `enso`.
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "PYTHONDONTWRITEBYTECODE": "",
            "XDG_STATE_HOME": str(self.root / "state"),
            "NOTES": str(self.root / "notes"),
        }
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True} | streams
        return subprocess.Popen(
            [sys.executable, "-m", "enso_operator", "run", str(file or self.manifest), *options],
            cwd=folder,
            env=os.environ | variables | self.environment,
            **streams,
        )

    def run(
        self, *options: str, file: Path | str = "", folder: Path | None = None
    ) -> tuple[int, str]:
        """Return the exit code of `enso run`, and its output."""
        process = self.start(*options, file=file, folder=folder)
        output, _ = process.communicate(timeout=DEADLINE_SECONDS)
        return process.returncode, output

    def supervisors(self) -> list[int]:
        """Return the processes that supervise this workstation's sessions."""
        return supervisors_of(self.root)
