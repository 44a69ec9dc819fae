"""The server of `signed_in`, at a port of this machine, for browsers and sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import AsyncExitStack, contextmanager
from threading import Event, Thread

from enso_operator.serving.server import Server, listen, server_of
from tests.support.eventually import DEADLINE_SECONDS
from tests.support.signed_in import People, app_of, people

MOST_CONNECTIONS = 100


class _Running(Thread):
    """Serves in a loop of its own."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.listener = listen("127.0.0.1", 0)
        self.ready = Event()
        self.server: Server
        self.known: People

    def run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        async with AsyncExitStack() as stack:
            self.known = await people(stack)
            app = app_of(self.known)
            self.server = server_of(app, MOST_CONNECTIONS)
            self.ready.set()
            await self.server.serve(sockets=[self.listener])


@contextmanager
def signed_in_server() -> Generator[tuple[int, People]]:
    """Yield its port, and whom it knows."""
    running = _Running()
    running.start()
    assert running.ready.wait(DEADLINE_SECONDS)
    try:
        yield running.listener.getsockname()[1], running.known
    finally:
        running.server.should_exit = True
        running.join(DEADLINE_SECONDS)
