"""A registry on this machine's loopback that has an image and lets nobody have it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

SENTENCE = "studio/houdini needs a licence: ask pipeline@studio.example"
_DIGEST = "sha256:" + hashlib.sha256(b"an image").hexdigest()
_TYPE = "application/vnd.oci.image.manifest.v1+json"


class _Refuses(BaseHTTPRequestHandler):
    default_request_version = "HTTP/1.0"
    """Tells whoever speaks TLS that this is HTTP: containerd tries that first."""

    def do_HEAD(self) -> None:
        """Say that the image is there."""
        self.send_response(200)
        self.send_header("Content-Type", _TYPE)
        self.send_header("Content-Length", "100")
        self.send_header("Docker-Content-Digest", _DIGEST)
        self.end_headers()

    def do_GET(self) -> None:
        """Refuse, as registries do."""
        body = json.dumps({"errors": [{"code": "DENIED", "message": SENTENCE}]}).encode()
        self.send_response(403)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's name
        """Be silent."""


@contextmanager
def refusing() -> Generator[str]:
    """Serve; yield the image's name."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Refuses) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"127.0.0.1:{server.server_port}/studio/houdini:20.5"
        finally:
            server.shutdown()
