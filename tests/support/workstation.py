"""A manifest in a folder, and the real `enso run` on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.processes import processes
from tests.support.running import supervisors_of

DEADLINE_SECONDS = 120


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
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True} | streams
        return subprocess.Popen(
            [sys.executable, "-m", "enso_operator", "run", str(file or self.manifest), *options],
            cwd=folder,
            env=self._variables(),
            **streams,
        )

    def run(
        self, *options: str, file: Path | str = "", folder: Path | None = None
    ) -> tuple[int, str]:
        """Return the exit code of `enso run`, and its output.

        Its process is forked from the server that has imported it: half of its time are imports.
        """
        words = [str(file or self.manifest), *options]
        with tempfile.NamedTemporaryFile("r") as output:
            given = (words, self._variables(), str(folder or Path.cwd()), output.name)
            process = processes.Process(target=_enso_run, args=given)
            process.start()
            process.join(DEADLINE_SECONDS)
            code = process.exitcode
            process.kill()
            assert code is not None, f"it still runs: {output.read()}"
            return code, output.read()

    def _variables(self) -> dict[str, str]:
        variables = {
            # As in a shell with an active venv, in which people start `enso`.
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "PYTHONDONTWRITEBYTECODE": "",
            "XDG_STATE_HOME": str(self.root / "state"),
            "NOTES": str(self.root / "notes"),
        }
        return {**os.environ, **variables, **self.environment}

    def supervisors(self) -> list[int]:
        """Return the processes that supervise this workstation's sessions."""
        return supervisors_of(self.root)


def _enso_run(words: Sequence[str], variables: Mapping[str, str], folder: str, output: str) -> None:
    """Become the process that `start` starts."""
    from enso_operator.__main__ import main  # noqa: PLC0415  # only here

    os.environ.clear()
    os.environ.update(variables)
    os.chdir(folder)
    sys.argv[:] = ["enso", "run", *words]
    sys.dont_write_bytecode = False
    file = os.open(output, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    main()
