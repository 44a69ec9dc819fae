"""A small proxy that signs people in, as oauth2-proxy does: a cookie of its own, a token upstream.

With `--pass-authorization-header` that sends the header Authorization with each request, and it
passes on the Host of the browser; what ends TLS before it says so in X-Forwarded-Proto.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

COOKIE = "_oauth2_proxy"
HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive"}
OF_ITS_OWN = HOP_BY_HOP | {"date", "server"}


class SigningProxy(ThreadingHTTPServer):
    """Listens at a port of its own."""

    daemon_threads = True

    def __init__(self, upstream: int, tokens: Mapping[str, str]) -> None:
        """`tokens` are those of the people, by what the cookie of each holds."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream, self.tokens = upstream, tokens


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        proxy = self.server
        assert isinstance(proxy, SigningProxy)
        cookie = SimpleCookie(self.headers.get("Cookie", "")).get(COOKIE)
        token = proxy.tokens.get(cookie.value if cookie else "")
        if token is None:
            self._send(302, {"location": "https://login.example.com/authorize"}, b"")
            return
        headers = {
            name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP
        }
        headers |= {"Authorization": f"Bearer {token}", "X-Forwarded-Proto": "https"}
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        upstream = HTTPConnection("127.0.0.1", proxy.upstream, timeout=60)
        upstream.request(self.command, self.path, body, headers)
        answer = upstream.getresponse()
        kept = {name.lower(): value for name, value in answer.getheaders()}
        self._send(answer.status, kept, answer.read())
        upstream.close()

    def _send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            if name not in OF_ITS_OWN:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its base's
        pass


@contextmanager
def signing_proxy(upstream: int, tokens: Mapping[str, str]) -> Generator[int]:
    """Yield its port."""
    with SigningProxy(upstream, tokens) as proxy:
        Thread(target=proxy.serve_forever, daemon=True).start()
        yield proxy.server_port
        proxy.shutdown()
