"""`enso serve` as a process of its own, as people start it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import httpx2 as httpx

ENSO = str(Path(sys.executable).with_name("enso"))


def start_serve(
    *arguments: str,
    environment: Mapping[str, str] = MappingProxyType({}),
    errors: int = subprocess.STDOUT,
    port: int = 0,
) -> subprocess.Popen[str]:
    """Start one, at a port that is free."""
    return subprocess.Popen(
        [ENSO, "serve", "--port", str(port), *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
    )


def port_of(process: subprocess.Popen[str]) -> int:
    """Wait until it says at which port it serves; fail with what it says instead."""
    assert process.stdout
    line = process.stdout.readline()
    told = re.search(r"serving at http://\S+:(\d+)", line)
    assert told, line + process.stdout.read()
    return int(told[1])


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
    """Start one over a cluster with these arguments."""
    environment["KUBECONFIG"] = str(kubeconfig)
    with start_serve(*arguments, environment=environment) as process:
        try:
            yield Server(process, port_of(process))
        finally:
            process.kill()
