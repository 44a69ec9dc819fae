"""Builds programs from the pinned Go modules into the user's cache: called by binaries.py.

What was compiled stays in Go's build cache, so that an interrupted build goes on where it was. It
runs at low priority, and says every ten seconds how far it is.
"""

import os
import shutil
import subprocess
import time
from pathlib import Path

from dev.cluster import toolchain
from dev.cluster.places import MODULES, ClusterError, say
from dev.cluster.programs import Program

_TELL_EVERY = 10.0


def build(programs: list[Program]) -> None:
    """Build them one after the other, into the cache."""
    go = toolchain.go()
    say(f"Building {outlook(programs)}. Stop it when you like: it goes on from there")
    for program in programs:
        _build(program, go)


def outlook(programs: list[Program]) -> str:
    """Say which, and how long that takes with nothing cached by Go."""
    minutes = sum(program.minutes for program in programs)
    names = ", ".join(f"{program.name} {program.version}" for program in programs)
    return f"{names} (once; about {minutes} minutes on two idle cores, on busy ones twice that)"


def _build(program: Program, go: Path) -> None:
    target = program.cached
    target.parent.mkdir(parents=True, exist_ok=True)
    partial, log = target.with_suffix(".partial"), target.with_suffix(".log")
    # A copy, as the checkout may change to another branch meanwhile.
    module = shutil.copytree(MODULES / program.folder, target.parent / "module", dirs_exist_ok=True)
    package = "/".join(part for part in (program.module, program.package) if part)
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
        raise ClusterError(f"Building {program.name} failed ({log}):\n{tail}")
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
    """Return the developer's, less what would change the result or look for another Go."""
    return os.environ | {"CGO_ENABLED": "0", "GOFLAGS": "", "GOTOOLCHAIN": "local", "GOWORK": "off"}


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
