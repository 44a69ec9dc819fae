"""Ends the sessions of an embedded server that was killed, and removes its folder.

Sessions outlive the process that started them. A server with its jobs in memory cannot find them
again after a restart. So the server has a small process beside it that reads a pipe, whose other
end only the server holds: end of file means that the server has ended.
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
"""How long the guardian may take to exit after it was dismissed."""


@dataclass(frozen=True)
class Guardian:
    """The server's handle of its guardian process."""

    process: subprocess.Popen[bytes]

    @classmethod
    def of(cls, folder: Path) -> Guardian:
        """Start the guardian of a server's folder."""
        command = [sys.executable, "-m", __name__, str(folder)]
        return cls(
            subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # so that Ctrl-C in the terminal does not end it
            )
        )

    def dismiss(self) -> None:
        """End the guardian: the server has cleaned up itself."""
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
        # Imported only now: it is seldom needed, and takes memory.
        import asyncio  # noqa: PLC0415

        from enso_operator.sessions.local.backend import LocalSessionBackend  # noqa: PLC0415

        asyncio.run(LocalSessionBackend(folder.parent).forget_all(folder.name))


if __name__ == "__main__":
    guard(Path(sys.argv[1]))
