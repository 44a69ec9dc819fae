"""HTTP within a loop of ours: `enso serve` and the operator's health endpoints run on it."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import resource
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from enso_operator.serving.connection import Connection

HIGHEST_PORT = 65535
STOP_SECONDS = 2
"""How long requests have for their end when the server stops; `connection` gives their answers up
before, so that whoever writes one has a moment to see it."""
BACKLOG = 128
"""Connections that wait for being let in; beyond that the kernel lets others try again."""
MOST_FILES = 65_536
"""As many open files are enough. A million costs every child that closes all of them a second."""
COMPLAIN_SECONDS = 60.0
_log = logging.getLogger(__name__)


class Server(uvicorn.Server):
    """Leaves signals alone: uvicorn would raise them again before the jobs were ended."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Do nothing."""
        yield


def server_of(app: ASGIApp, most_connections: int) -> Server:
    """Return a server of `app`, which logs only what is wrong here. It ends with `should_exit`."""
    return Server(
        uvicorn.Config(
            app,
            http=Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level=logging.ERROR,
            access_log=False,
            proxy_headers=False,  # uvicorn would believe what any process of this machine says
            backlog=BACKLOG,
            limit_concurrency=most_connections,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
    )


def raise_file_limit() -> int:
    """Let this process have as many files and connections open as it is allowed to: how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return max(soft, allowed)


class Complaints:
    """An event loop's exception handler that says once a minute that nobody can be let in.

    asyncio says it for each try, more than a hundred times a second, with a traceback.
    """

    def __init__(self) -> None:
        self._again_at = 0.0

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Log what is wrong in the loop."""
        if context["message"] != "socket.accept() out of system resource":
            loop.default_exception_handler(context)
        elif loop.time() >= self._again_at:
            self._again_at = loop.time() + COMPLAIN_SECONDS
            _log.error("new connections cannot be taken: %s", context["exception"])


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
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def is_loopback(listener: socket.socket) -> bool:
    """Whether only this machine reaches it."""
    return ipaddress.ip_address(listener.getsockname()[0]).is_loopback


def readable(listener: socket.socket) -> str:
    """Return where it listens, as it stands in a URL."""
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
