"""`enso serve` as a process, over a real API server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx

ENSO = str(Path(sys.executable).with_name("enso"))


@dataclass
class Server:
    """One that listens, until the test ends it."""

    process: subprocess.Popen[str]
    port: int

    def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, **sent: object
    ) -> httpx.Response:
        """Return the answer; redirects are not followed."""
        url = f"http://127.0.0.1:{self.port}{path}"
        with httpx.Client(trust_env=False, timeout=60) as client:
            return client.request(method, url, headers=headers, **sent)  # type: ignore[arg-type]

    def log(self) -> str:
        """End it, and return all that it said."""
        self.process.terminate()
        return self.process.communicate(timeout=60)[0]


@contextmanager
def serving(kubeconfig: Path, *arguments: str, **environment: str) -> Generator[Server]:
    """Start one with these arguments at a port of its own."""
    with subprocess.Popen(
        [ENSO, "serve", "--port", "0", *arguments],
        env=os.environ | {"KUBECONFIG": str(kubeconfig), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            assert process.stdout
            line = process.stdout.readline()
            told = re.search(r"serving at http://\S+:(\d+)", line)
            assert told, line + process.stdout.read()
            yield Server(process, int(told[1]))
        finally:
            process.kill()
