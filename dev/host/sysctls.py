"""Kernel settings that a node changes: remembered by node.py, put back by cleanup.py."""

import json
from contextlib import suppress
from pathlib import Path

from dev.host.places import HOME

_ROOT = Path("/proc/sys")
_WATCHERS = "fs/inotify/max_user_instances"
"""Whoever follows a log takes one, and Linux gives a user 128."""
_NAMES = (
    _WATCHERS,
    "kernel/keys/root_maxbytes",
    "kernel/keys/root_maxkeys",
    "kernel/panic",
    "kernel/panic_on_oops",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
)
_FILE = HOME / "sysctls.json"


def remember() -> None:
    """Keep what they were before the first kubelet."""
    if not _FILE.exists():
        found = {name: (_ROOT / name).read_text() for name in _NAMES if (_ROOT / name).exists()}
        _FILE.write_text(json.dumps(found))


def restore() -> None:
    """Restore the remembered settings."""
    with suppress(FileNotFoundError, ValueError):
        for name, value in json.loads(_FILE.read_text()).items():
            if (_ROOT / name).read_text() != value:
                (_ROOT / name).write_text(value)


def allow_many_followers(count: int = 4096) -> None:
    """Allow `count` logs to be followed at once."""
    limit = _ROOT / _WATCHERS
    if int(limit.read_text()) < count:
        limit.write_text(str(count))
