"""One HTTP connection to a server of ours: whoever opens many of them, or is slow, harms nobody.

uvicorn bounds neither how many there are nor how long a request may take to arrive.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

ARRIVE_SECONDS = 10.0
"""How long a request may take from its connection, or its first byte, to its last."""
ANSWER_SECONDS = 1.0
"""How long an answer that is under way has for its end when the server stops."""
TAKE_SECONDS = 60.0
"""How long an answer may wait for a reader who takes nothing more of it."""
_UNFINISHED = (h11.IDLE, h11.SEND_BODY)
"""States of a client whose request is not all here."""


class Connection(H11Protocol):
    """Gives way to newer connections, and up a request that does not arrive."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._most = config.limit_concurrency or 1
        self.limit_concurrency = None  # uvicorn would refuse requests, and keep the connections
        self.since = self.loop.time()
        self._deadline: asyncio.TimerHandle | None = None
        self._patience: asyncio.TimerHandle | None = None
        """Ends with a reader who takes too long."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a request; if there are too many connections, close the one idle for longest."""
        super().connection_made(transport)
        self._expect()
        if len(self.connections) > self._most:
            connections = cast("set[Connection]", self.connections)
            idle = [connection for connection in connections if connection.is_waiting]
            min(idle, key=lambda connection: connection.since, default=self).give_up()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._expect_nothing()
        self._stop_patience()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take a part of a request, or of several."""
        self._expect()
        super().data_received(data)
        if not self.is_waiting:
            self._expect_nothing()

    def on_response_complete(self) -> None:
        """Wait for another request, as long as connections are kept alive."""
        self.since = self.loop.time()
        super().on_response_complete()

    def shutdown(self) -> None:
        """End, as the server stops; an answer that goes on for longer is given up.

        uvicorn would cancel whoever writes it, and tell that as an error.
        """
        super().shutdown()
        self.loop.call_later(ANSWER_SECONDS, self.give_up)

    def pause_writing(self) -> None:
        """Hold the answer back; give a reader up that does not take what was sent."""
        super().pause_writing()
        self._patience = self.loop.call_later(TAKE_SECONDS, self.give_up)

    def resume_writing(self) -> None:
        """Send more."""
        self._stop_patience()
        super().resume_writing()

    def _stop_patience(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
        self._patience = None

    @property
    def is_waiting(self) -> bool:
        """Whether no request is all here: nobody works for this connection."""
        return self.conn.their_state in _UNFINISHED

    def give_up(self) -> None:
        """End at once, whatever the other end does."""
        self.connections.discard(self)
        self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, in the shape of every other refusal."""
        del msg  # it says no more
        self._refuse(400, "what was sent is no HTTP request that can be read")

    def _expect(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(ARRIVE_SECONDS, self._is_late)

    def _expect_nothing(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None

    def _is_late(self) -> None:
        self._deadline = None
        if self.flow.read_paused:
            self._expect()  # it is not read: it waits for its turn here
            return
        if self.conn.their_state is h11.SEND_BODY:
            self._refuse(408, f"the request did not arrive within {ARRIVE_SECONDS:g} s")
        self.give_up()

    def _refuse(self, status: int, sentence: str) -> None:
        """Say so, where nothing else is being said, and end."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            body = json.dumps({"error": sentence}).encode() + b"\n"
            headers = [
                ("content-type", "application/json"),
                ("content-length", str(len(body))),
                ("connection", "close"),
            ]
            for event in (
                h11.Response(status_code=status, headers=headers),
                h11.Data(data=body),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
