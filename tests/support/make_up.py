"""`make up` and `make down` as processes, with a port and a cluster of a test's own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import dataclass

from dev.checkout import CHECKOUT
from dev.up import owned_processes


@dataclass(frozen=True)
class MakeUp:
    """Runs the two commands, and finds what they started."""

    port: int
    cluster: str
    environment: dict[str, str]

    def command(self, name: str) -> list[str]:
        return [
            *(sys.executable, "-m", "dev", name),
            *("--port", str(self.port), "--cluster", self.cluster),
        ]

    def run(self, name: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(name),
            cwd=CHECKOUT,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def shell(self, *command: str) -> str:
        """Run a command as a user does, with the tools of this environment."""
        environment = {**os.environ, **self.environment, "NO_PROXY": "localhost"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return done.stdout

    def processes(self) -> list[list[str]]:
        return [*owned_processes.ours(self.port).values()]

    def servers(self) -> int:
        """Return how many processes of enso run, without those of sessions."""
        return len(owned_processes.ours(self.port, *owned_processes.SERVERS))


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
