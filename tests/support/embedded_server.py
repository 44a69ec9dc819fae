"""`enso serve --embedded` as a process of its own, as people start it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil

from tests.support.curl import shell

ENSO = str(Path(sys.executable).with_name("enso"))


class EmbeddedServer:
    """A server with a port and folders of its own, and every process that comes from it.

    Its script library is `folder`.
    """

    def __init__(self, folder: Path, *options: str, port: int = 0) -> None:
        self.mark, self.temporary = f"ENSO_TEST={uuid4().hex}", folder / "temporary"
        self.temporary.mkdir(exist_ok=True)
        key, _, value = self.mark.partition("=")
        environment = {**os.environ, key: value, "NO_PROXY": "localhost"}
        environment |= {"TMPDIR": str(self.temporary), "ENSO_SCRIPTS_PATH": str(folder)}
        self.process = subprocess.Popen(
            [ENSO, "serve", "--embedded", "--port", str(port), *options],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout
        told = re.search(r"http://127\.0\.0\.1:(\d+)", self.process.stdout.readline())
        assert told
        self.port = int(told[1])

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def shell(self, command: str, jobid: str = "") -> Any:  # noqa: ANN401  # JSON
        return shell(command, self.port, jobid)

    def processes(self) -> list[int]:
        key, _, value = self.mark.partition("=")
        return [
            process.pid
            for process in psutil.process_iter(["environ"])
            if (key, value) in (process.info["environ"] or {}).items()  # None: not ours to read
        ]

    def end(self) -> None:
        """End it and all that it started; once more is fine."""
        self.process.kill()
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)
