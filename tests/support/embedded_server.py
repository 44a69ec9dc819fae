"""`enso serve --embedded` as a process of its own, as people start it."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil

from tests.support.curl import shell
from tests.support.serve_program import port_of, start_serve


class EmbeddedServer:
    """A server with a port and folders of its own, and every process that comes from it.

    Its script library is `folder`.
    """

    def __init__(self, folder: Path, *options: str, port: int = 0) -> None:
        self.mark, self.temporary = f"ENSO_TEST={uuid4().hex}", folder / "temporary"
        self.temporary.mkdir(exist_ok=True)
        key, _, value = self.mark.partition("=")
        environment = {key: value, "NO_PROXY": "localhost"}
        environment |= {"TMPDIR": str(self.temporary), "ENSO_SCRIPTS_PATH": str(folder)}
        self.process = start_serve("--embedded", *options, port=port, environment=environment)
        self.port = port_of(self.process)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def shell(self, command: str, jobid: str = "") -> Any:  # noqa: ANN401  # JSON
        return shell(command, self.port, jobid)

    def connections(self) -> int:
        """Return how many are open; the server soon closes those without a request."""
        connections = psutil.Process(self.process.pid).net_connections("tcp4")
        return sum(connection.status == psutil.CONN_ESTABLISHED for connection in connections)

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
            with suppress(ProcessLookupError):  # what ends them with the server was quicker
                os.kill(pid, signal.SIGKILL)
