"""The records of a proxy: its thread writes them, a test reads them, also after the proxy's end."""

from __future__ import annotations

import threading
from urllib.parse import unquote_to_bytes

from aiohttp.web import BaseRequest

from tests.support.fault_proxy.calls import Call, read_call


class Book:
    """All calls, every byte that was received, and what went wrong inside the proxy."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[Call] = []
        self._received: list[bytearray] = []
        self._failures: list[BaseException] = []

    def enter(self, request: BaseRequest, body: bytes) -> Call:
        """Number a call that has arrived completely, and keep it."""
        agent = request.headers.get("User-Agent", "")
        with self._lock:
            number = len(self._calls) + 1
            call = read_call(number, request.method, request.raw_path, agent, body)
            self._calls.append(call)
        return call

    def update(self, call: Call) -> None:
        """Replace a call by its newer state."""
        with self._lock:
            self._calls[call.number - 1] = call

    def open_connection(self) -> bytearray:
        """Return the buffer for all bytes that a new connection receives."""
        received = bytearray()
        with self._lock:
            self._received.append(received)
        return received

    def fail(self, error: BaseException) -> None:
        """Keep an error that must fail the test."""
        with self._lock:
            self._failures.append(error)

    def calls(self) -> tuple[Call, ...]:
        with self._lock:
            return tuple(self._calls)

    def sent(self) -> bytes:
        """Return all bytes as they came, then bodies and paths again without their encodings."""
        with self._lock:
            read = [
                part for call in self._calls for part in (call.body, unquote_to_bytes(call.path))
            ]
            return b"\n".join([*map(bytes, self._received), *read])

    def failures(self) -> tuple[BaseException, ...]:
        with self._lock:
            return tuple(self._failures)
