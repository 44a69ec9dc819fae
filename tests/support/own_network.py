"""A network of its own for the browser of a test and the servers that it visits.

At each interface that comes or goes chromium gives up what it loads (ERR_NETWORK_CHANGED), and no
option of it changes that; each Pod of the tests on a node, which run at the same time, has one.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from dev.host import requirements

_CLONE_NEWNET = 0x40000000
"""From <linux/sched.h>; Python 3.11 has neither call."""


@contextmanager
def own_network() -> Generator[None]:
    """Give this thread, and what it starts from now on, a network with nothing but localhost.

    Where there can be no node, no Pod comes either, and nothing is done.
    """
    if requirements.missing():
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    with Path("/proc/thread-self/ns/net").open() as machines:
        _succeeded(libc.unshare(_CLONE_NEWNET))
        try:
            subprocess.run([requirements.program("ip"), "link", "set", "lo", "up"], check=True)
            yield
        finally:
            _succeeded(libc.setns(machines.fileno(), _CLONE_NEWNET))


def _succeeded(result: int) -> None:
    if result != 0:
        why = os.strerror(ctypes.get_errno())
        raise OSError(f"Changing the network of a test needs CAP_SYS_ADMIN, as a node does: {why}")
