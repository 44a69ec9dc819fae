"""Everything that a node could leave on a machine, read from the kernel and from the disk.

Processes are read from /proc, as psutil does not say in which namespace a process is.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

_OURS = (b"/var/lib/enso-executer/bin/", b"/run/enso-executer/")
_PLACES = (
    "/etc/cni",
    "/run/containerd",
    "/run/netns",
    "/run/enso-executer",
    "/run/enso-executer-node.json",
    "/var/lib/cni",
    "/var/lib/containerd",
    "/var/lib/enso-executer",
    "/var/lib/kubelet",
    "/var/log/containers",
    "/var/log/pods",
)
_SETTINGS = ("kernel/panic", "kernel/panic_on_oops", "vm/overcommit_memory", "net/ipv4/ip_forward")


def traces() -> set[str]:
    """Return all of it; what is there afterwards and was not before was left behind."""
    return {*_processes(), *_mounts(), *_links(), *_groups(), *_files(), *_settings(), *_rules()}


def _processes() -> Iterator[str]:
    """Yield ours, and all that are in a container."""
    here = Path("/proc/self/ns/pid").readlink()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes()
            is_inside = (entry / "ns" / "pid").readlink() != here
        except OSError:
            continue
        if command and (is_inside or any(path in command for path in _OURS)):
            yield f"process {entry.name}: {command!r}"


def _mounts() -> Iterator[str]:
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        yield f"mount {line.split()[4]}"


def _links() -> Iterator[str]:
    for link in Path("/sys/class/net").iterdir():
        yield f"link {link.name}"


def _groups() -> Iterator[str]:
    for root in (Path("/sys/fs/cgroup"), *Path("/sys/fs/cgroup").iterdir()):
        for group in root.glob("kube*"):
            yield f"control group {group}"


def _files() -> Iterator[str]:
    """Yield all files; `os.walk` passes over a folder that is removed meanwhile, `rglob` fails."""
    for place in filter(os.path.exists, _PLACES):
        yield f"file {place}"
        for folder, folders, files in os.walk(place):
            yield from (f"file {folder}/{name}" for name in (*folders, *files))


def _settings() -> Iterator[str]:
    for name in _SETTINGS:
        yield f"setting {name}: {Path('/proc/sys', name).read_text().strip()}"


def _rules() -> Iterator[str]:
    if shutil.which("iptables-save"):
        told = subprocess.run(["iptables-save"], capture_output=True, text=True, check=True)
        yield from (f"rule {line}" for line in told.stdout.splitlines() if line.startswith("-A"))
