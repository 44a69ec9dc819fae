"""HTTP within a loop of ours: `enso serve` and the operator's health endpoints run on it."""

from __future__ import annotations

import logging
import socket
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

HIGHEST_PORT = 65535
ANSWER_SECONDS = 1
"""How long open requests have for their answers when the server stops."""


class Server(uvicorn.Server):
    """Leaves signals alone: uvicorn would raise them again before the jobs were ended."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Do nothing."""
        yield


def server_of(app: ASGIApp) -> Server:
    """Return a server of `app`, which logs only what is wrong. It ends with `should_exit`."""
    return Server(
        uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            log_level=logging.WARNING,
            access_log=False,
            timeout_graceful_shutdown=ANSWER_SECONDS,
        )
    )


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens there; raise OSError, OverflowError or UnicodeError."""
    if not 0 <= port <= HIGHEST_PORT:  # getaddrinfo would take the remainder
        raise OverflowError(port)
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def readable(listener: socket.socket) -> str:
    """Return where it listens, as it stands in a URL."""
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
