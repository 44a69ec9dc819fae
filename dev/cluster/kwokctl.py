"""Runs kwokctl, which lays out a cluster and starts its processes: called by plane.py.

kwokctl itself waits two minutes for an API server that has ended long ago. So its processes are
watched from here, and the last errors in the log of one that ends are the message.
"""

import json
import os
import re
import subprocess
import time
from pathlib import Path

from dev.checkout import AFRESH, STATE, Failed
from dev.cluster import binaries, records
from dev.host import processes

_LINES = 3
_WIDTH = 300
_ERROR = re.compile(
    r'panic: |"level":"(fatal|panic|error|ERROR)"|^[EF]\d{4} |level=(fatal|panic|error) '
)


def create(name: str, kwokctl: Path, settings: Path) -> None:
    """Lay out a new cluster as the settings say, and start it."""
    # It would add a context to ~/.kube/config; this is the file that it writes anyway.
    kubeconfig = folder_of(name) / "kubeconfig.yaml"
    options = ["--config", str(settings), "--kubeconfig", str(kubeconfig)]
    _run(name, [str(kwokctl), "create", "cluster", *options])


def start(name: str, kwokctl: Path) -> None:
    """Start those components that do not run."""
    _run(name, [str(kwokctl), "start", "cluster"])


def folder_of(name: str) -> Path:
    """Return the folder in which kwokctl keeps a cluster."""
    return STATE / "clusters" / name


def died(name: str) -> set[str]:
    """Return the components that were started and have ended."""
    folder = folder_of(name)
    started = {file.stem for file in (folder / "pids").glob("*.pid")}
    return started - set(processes.running(folder))


def why_it_died(name: str, component: str) -> str:
    """Return the sentence for a component that does not stay alive."""
    log = folder_of(name) / "logs" / f"{component}.log"
    return with_reason(f"{component} ended by itself", log) + f"\n{AFRESH}"


def _run(name: str, command: list[str]) -> None:
    folder = folder_of(name)
    processes.forget_stale_pids(folder)
    log = records.log(name)
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, "--name", name], env=_environment(), stdout=output, stderr=output
        )
        try:
            while process.poll() is None:
                # Only these: a controller manager that started too early is started again.
                for component in died(name) & {"etcd", "kube-apiserver"}:
                    raise Failed(why_it_died(name, component))
                time.sleep(0.05)
        finally:
            process.kill()
            process.wait()
    if process.returncode != 0:
        raise Failed(with_reason("kwokctl failed", log))


def _environment() -> dict[str, str]:
    """Return the environment without KWOK_ settings, except those that name mirrors."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("KWOK_") or key.endswith("_PREFIX")
    }
    # kwokctl asks with the first kubectl on the path, and would download one.
    path = f"{binaries.kubectl().parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return kept | {"KWOK_WORKDIR": str(STATE), "PATH": path}


def with_reason(sentence: str, log: Path) -> str:
    """Add the last errors of a log, or its last lines: a Go panic is followed by its stack."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    chosen = [line for line in lines if _ERROR.search(line)] or lines
    return "\n".join([f"{sentence} ({log}):", *(_readable(line) for line in chosen[-_LINES:])])


def _readable(line: str) -> str:
    """Return the message of a JSON log line of etcd or kwokctl; other lines as they are."""
    try:
        told = json.loads(line)
    except ValueError:
        return f"  {line[:_WIDTH]}"
    parts = (told.get(key) for key in ("msg", "err", "error"))
    return "  " + ": ".join(str(part) for part in parts if part)[:_WIDTH]
