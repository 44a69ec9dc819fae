"""Downloads the official programs of Kubernetes, checked, into the user's cache: for binaries.py.

Beside each program its host has a file `.sha256` (https://kubernetes.io/releases/download/). That
of the first one is the probe: where it does not come within three seconds, or is none, nothing is
downloaded.
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Collection
from functools import cache
from pathlib import Path

from dev.checkout import say
from dev.cluster.programs import Program

HOST = "https://dl.k8s.io"
VARIABLE = "CLUSTER_DOWNLOADS"
"""Environment variable: another host with the same files, or `no`."""
_PROBE_SECONDS = "3"
_MEGABYTES = 90
"""Approximate size of one program."""
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_TOO_SLOW = ("--speed-limit", "100000", "--speed-time", "20")
"""Bytes a second, for so many seconds: a build is faster then."""


def available(programs: Collection[Program]) -> list[Program]:
    """Return those of the programs that can be downloaded here, now."""
    official = [program for program in programs if program.folder == "kubernetes"]
    return official if official and published_digest(official[0]) else []


def outlook(programs: Collection[Program]) -> str:
    """Return what will be downloaded, and its size."""
    names = ", ".join(program.name for program in programs)
    return f"{names} from {_host()} (some {_MEGABYTES * len(programs)} MB)"


def fetch(program: Program) -> None:
    """Download the program; say a sentence and drop the file where its digest is wrong."""
    target = program.cached
    partial = target.with_suffix(".partial")
    target.parent.mkdir(parents=True, exist_ok=True)
    say(f"Downloading {program.name} {program.version}")
    done = _curl(_url(program), *_TOO_SLOW, "--output", str(partial))
    why = _what_is_wrong(program, partial) if done.returncode == 0 else done.stderr.strip()
    if why:
        partial.unlink(missing_ok=True)
        say(f"  {program.name}: {why}. It is built from source instead")
        return
    partial.rename(target)


def _what_is_wrong(program: Program, file: Path) -> str:
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    if digest != published_digest(program):
        return "what came is not the file whose sha256 stands beside it"
    file.chmod(0o755)
    try:
        command = [str(file), "--version"]
        told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"it cannot be run: {error}"
    if f"v{program.version}" not in told.stdout.split():
        return f"it says that it is {told.stdout.strip()[:80]!r}, not v{program.version}"
    return ""


@cache
def published_digest(program: Program) -> str:
    """Return the SHA-256 that the host publishes for the program; empty where it has none."""
    if not _host() or not shutil.which("curl") or platform.machine() not in _ARCHITECTURES:
        return ""
    done = _curl(f"{_url(program)}.sha256", "--max-time", _PROBE_SECONDS)
    found = re.fullmatch(r"\s*([0-9a-f]{64})\s*", done.stdout)
    return found[1] if found and done.returncode == 0 else ""


def _host() -> str:
    chosen = os.environ.get(VARIABLE) or HOST
    return "" if chosen == "no" else chosen.rstrip("/")


def _url(program: Program) -> str:
    architecture = _ARCHITECTURES[platform.machine()]
    return f"{_host()}/release/v{program.version}/bin/linux/{architecture}/{program.name}"


def _curl(url: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run curl: it uses the machine's proxies, and its time limits include the DNS look-up."""
    command = ["curl", "--fail", "--silent", "--show-error", "--location", *options, url]
    return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
