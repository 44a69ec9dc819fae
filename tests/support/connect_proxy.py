"""An HTTP proxy that only accepts CONNECT, as many companies have it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from socketserver import StreamRequestHandler, ThreadingTCPServer


class ConnectProxy(ThreadingTCPServer):
    """Tunnels every CONNECT, whatever its address, to one port of this machine."""

    allow_reuse_address, daemon_threads = True, True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Tunnel)
        self.port = port
        self.request_lines: list[str] = []
        """The first line of each request."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def connect_proxy(port: int) -> Generator[ConnectProxy]:
    with ConnectProxy(port) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        try:
            yield proxy
        finally:
            proxy.shutdown()


class _Tunnel(StreamRequestHandler):
    rbufsize = 0

    def handle(self) -> None:
        proxy = self.server
        assert isinstance(proxy, ConnectProxy)
        proxy.request_lines.append(self.rfile.readline().decode().strip())
        while self.rfile.readline().strip():
            pass
        with socket.create_connection(("127.0.0.1", proxy.port)) as target:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_pump, args=(target, self.connection), daemon=True)
            back.start()
            _pump(self.connection, target)
            back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
