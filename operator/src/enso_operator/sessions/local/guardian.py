"""Ends what an embedded server leaves behind where it is killed: sessions, and its folder.

Sessions outlive whoever started them, which suits those that can be found again. Of a server whose
jobs are in its memory nothing can. So it has a process of a few MiB beside it, which waits for its
end, however that comes, at a pipe whose other end only the server holds.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

DISMISS_SECONDS = 5.0
"""How long it may take to see that nothing is left to do."""


@dataclass(frozen=True)
class Guardian:
    """The process, as its server has it."""

    process: subprocess.Popen[bytes]

    @classmethod
    def of(cls, folder: Path) -> Guardian:
        """Start one for a server's folder."""
        command = [sys.executable, "-m", __name__, str(folder)]
        return cls(
            subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # what a terminal tells its processes is not for this one
            )
        )

    def dismiss(self) -> None:
        """Let it go: the server has put everything away itself."""
        if self.process.stdin:
            self.process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(DISMISS_SECONDS)


def guard(folder: Path) -> None:
    """Wait for the server's end, then end what runs below its folder, and remove it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while os.read(0, 1):
        pass
    if folder.exists():
        # Not before: it is seldom needed, and takes memory.
        import asyncio  # noqa: PLC0415

        from enso_operator.sessions.local.backend import LocalSessionBackend  # noqa: PLC0415

        asyncio.run(LocalSessionBackend(folder.parent).forget_all(folder.name))


if __name__ == "__main__":
    guard(Path(sys.argv[1]))
