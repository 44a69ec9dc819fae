"""The connections of callers: their bytes are kept, and they can be reset."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct

from aiohttp.web import RequestHandler, Server

from tests.support.fault_proxy.book import Book

_LONGEST_HEADER = 1 << 20
"""As the API server's own; of aiohttp's 8 KiB a long `continue` could be too much."""
_AT_ONCE = struct.pack("ii", 1, 0)


class Connection(RequestHandler):
    """Keeps every received byte, also of requests that never arrive completely."""

    __slots__ = ("_received",)

    def __init__(self, server: Server, book: Book) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # means none, says aiohttp's documentation
            logger=_logger_to(book),
            max_line_size=_LONGEST_HEADER,
            max_field_size=_LONGEST_HEADER,
        )
        self._received = book.open_connection()

    def data_received(self, data: bytes) -> None:
        self._received += data
        super().data_received(data)


def reset(transport: asyncio.Transport) -> None:
    """Reset the connection (TCP RST): unsent data is lost, and reading is an error."""
    connection = transport.get_extra_info("socket")
    if not transport.is_closing():
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    transport.abort()


def _logger_to(book: Book) -> logging.Logger:
    """Let errors that aiohttp only logs fail the test, such as requests that it cannot parse."""

    class Failing(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            error = record.exc_info[1] if record.exc_info else None
            book.fail(error or RuntimeError(record.getMessage()))

    logger = logging.Logger("fault proxy")  # noqa: LOG001  # its own, no child of the root
    logger.addHandler(Failing())
    return logger
