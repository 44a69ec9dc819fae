"""Checks what a machine must have for a node and that we cannot build, before any start.

`python -m dev left-out` says what `make test` leaves out where it is not there; everything that
starts a node asks first.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from dev.checkout import Failed

_PROGRAMS = {
    "runc": "runc",
    "ip": "iproute2",
    "umount": "mount",
    "setsid": "util-linux",
    "buildah": "buildah",
    "debootstrap": "debootstrap",
    "catatonit": "catatonit",
}
"""Each with the Debian package that has it."""

_GDB = "gdb"
"""A program that embeds Python, as a host of scripts."""
BROWSER = "chromium"
"""In which the pages are tested, and their pictures are taken."""
_PLUGINS = ("bridge", "host-local", "loopback")
_PLUGIN_FOLDERS = (Path("/usr/lib/cni"), Path("/opt/cni/bin"))
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Searched besides the user's PATH, which may lack the sbin folders."""


def check() -> None:
    """Raise Failed where there cannot be a node."""
    if sentence := missing():
        raise Failed(sentence)


def missing() -> str:
    """Return the sentence that says what is missing and what to do; empty if nothing is."""
    if sys.platform != "linux":
        return "A real node needs Linux: `make cluster-up` starts a cluster without one"
    if os.geteuid() != 0:
        return (
            "A real node needs root, for containers and their network: run `make cluster` as root,"
            " or `make cluster-up` for a cluster without a node"
        )
    if packages := missing_packages():
        return (
            f"A real node needs programs that this machine lacks: `apt-get install"
            f" {' '.join(packages)}`, or `make cluster-up` for a cluster without a node"
        )
    return ""


def program(name: str) -> str:
    """Return the path of one of the machine's programs."""
    found = find(name)
    if found is None:
        raise Failed(f"There is no {name} on this machine: `apt-get install {name}`")
    return found


def find(name: str) -> str | None:
    """Return the path of a program of the machine, if it has it."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}")


def plugins() -> Path | None:
    """Return the folder of the CNI plugins, if the machine has all that are needed."""
    for folder in _PLUGIN_FOLDERS:
        if all((folder / name).exists() for name in _PLUGINS):
            return folder
    return None


def missing_packages() -> list[str]:
    """Return the Debian packages of programs that this machine lacks."""
    packages = {package for name, package in _PROGRAMS.items() if find(name) is None}
    if plugins() is None:
        packages.add("containernetworking-plugins")
    return sorted(packages)


def left_out() -> Iterator[str]:
    """Yield what `make test` leaves out, why, and the one command that changes it."""
    packages = missing_packages()
    if sys.platform != "linux":
        yield "every test on a real node: it needs Linux"
    elif os.geteuid() != 0:
        yield "every test on a real node: it needs root. `sudo make test` runs them"
    elif packages:
        command = f"apt-get install {' '.join(packages)}"
        yield f"every test on a real node: programs are missing. `{command}` adds them"
    if find(_GDB) is None:
        yield f"scripts inside gdb: it is missing. `apt-get install {_GDB}` adds it"
    if find(BROWSER) is None:
        yield f"pages in a browser: it is missing. `apt-get install {BROWSER}` adds it"
