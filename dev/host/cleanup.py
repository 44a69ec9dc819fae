"""Ends the node, and removes everything that it leaves on a machine.

The machine is the truth, not what was remembered: it does not matter who started the node, how it
ended, or whether the folders are still there. Called by node_lock.py, and before a new node starts.
"""

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from dev.checkout import Failed
from dev.host import bridge, mounts, pod_processes, processes, sysctls
from dev.host.places import HOME, VOLATILE

_PATIENCE = 20.0
_LINKS = Path("/var/log/containers")
"""The kubelet's, for collectors of logs."""
_DEVICES = Path("/var/lib/kubelet/device-plugins")
_NETWORK_CACHE = Path("/var/lib/cni/results")
_FIXED = (_LINKS, _DEVICES, _NETWORK_CACHE, pod_processes.SHIM_SOCKETS)
"""Folders whose paths no setting changes; another runtime may have files there too."""


def clear() -> None:
    """Remove everything of a node; does nothing where there is none."""
    if not (HOME.exists() or VOLATILE.exists() or bridge.exists()):
        return
    # First what would start things again, then containers, then what reports their end.
    for name in ("kubelet", "containerd"):
        processes.end(HOME, [name])
    _kill(pod_processes.of_containers)
    _kill(pod_processes.of_groups)
    processes.end(HOME)
    sysctls.restore()
    for folder in (HOME, VOLATILE):
        mounts.unmount_below(folder)
    bridge.down()
    pod_processes.remove_groups(_PATIENCE)
    _remove_files()


def _kill(find: Callable[[], set[int]]) -> None:
    """Kill the processes that `find` returns until it returns none: they may start others."""
    deadline = time.monotonic() + _PATIENCE
    while alive := find():
        for pid in alive:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            raise Failed(f"These processes of containers do not end: {sorted(alive)}")
        time.sleep(0.02)


def _remove_files() -> None:
    for path in _ours():
        path.unlink(missing_ok=True)
    for folder in (HOME, VOLATILE):
        shutil.rmtree(folder, ignore_errors=True)
    for folder in (folder for fixed in _FIXED for folder in (fixed, fixed.parent)):
        if folder != Path("/var/log"):
            with suppress(OSError):  # others use the folder, too, or it does not exist
                folder.rmdir()


def _ours() -> Iterator[Path]:
    """Yield our files in folders that other programs use, too."""
    yield from pod_processes.shim_sockets()
    yield _DEVICES / "kubelet.sock"
    for link in _LINKS.glob("*"):
        if link.is_symlink() and link.readlink().is_relative_to(HOME):
            yield link
    for entry in _NETWORK_CACHE.glob("*"):
        if str(VOLATILE) in entry.read_text():  # the network namespace's path
            yield entry
