"""Official programs are taken where they can be had, and only if they are what they should be."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from dev.cluster import binaries, downloads
from dev.cluster.programs import PROGRAMS

NAME = "kube-apiserver"
PROGRAM = PROGRAMS[NAME]
OFFICIAL = f"#!/bin/sh\necho Kubernetes v{PROGRAM.version}\n".encode()
ANOTHER = b"#!/bin/sh\necho Kubernetes v1.0.0\n"
PORTAL = b"<html>please sign in to the network of this hotel</html>"
SECONDS_OF_THE_SLOW = 60


@contextmanager
def host(answer: Callable[[str], bytes | None]) -> Generator[str]:
    """Serve what `answer` says of a path: nothing means that it takes too long."""
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = answer(self.path)
            if body is None:
                ended.wait(SECONDS_OF_THE_SLOW)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # as the base has it
            del format, args

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            ended.set()
            server.shutdown()


def official(path: str) -> bytes:
    digest = hashlib.sha256(OFFICIAL).hexdigest().encode() + b"\n"
    return digest if path.endswith(".sha256") else OFFICIAL


@pytest.fixture(autouse=True)
def new_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """A machine that has none of the programs."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    downloads.published_digest.cache_clear()
    yield
    downloads.published_digest.cache_clear()


def test_a_program_is_downloaded_where_its_host_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "_PROBE_SECONDS", str(SECONDS_OF_THE_SLOW))
    with host(official) as address:
        monkeypatch.setenv(downloads.VARIABLE, address)
        said = binaries.outlook((NAME, "etcd"))
        assert said.startswith(f"downloaded: {NAME} from {address} (some 90 MB); built from source")
        assert binaries.provide((NAME,)) == {NAME: PROGRAM.cached}
    assert PROGRAM.cached.read_bytes() == OFFICIAL
    assert binaries.outlook((NAME,)) == ""


def test_a_host_that_is_slow_nonsense_or_absent_counts_as_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers: list[Callable[[str], bytes | None]] = [
        lambda _: None,
        lambda _: PORTAL,
        lambda _: b"",
    ]
    was = ""
    for answer in answers:
        with host(answer) as address:
            was = address
            monkeypatch.setenv(downloads.VARIABLE, address)
            downloads.published_digest.cache_clear()
            assert binaries.outlook((NAME,)).startswith(f"built from source: {NAME}")
    monkeypatch.setenv(downloads.VARIABLE, was)  # it is gone
    downloads.published_digest.cache_clear()
    assert downloads.available([PROGRAM]) == []
    monkeypatch.setenv(downloads.VARIABLE, "no")
    assert downloads.available([PROGRAM]) == []


@pytest.mark.parametrize(
    ("program", "digest_of", "why"),
    [
        (PORTAL, OFFICIAL, "what came is not the file whose sha256 stands beside it"),
        (OFFICIAL[:-9], OFFICIAL, "what came is not the file whose sha256 stands beside it"),
        (ANOTHER, ANOTHER, "it says that it is 'Kubernetes v1.0.0', not v"),
        (b"\x7fELF", b"\x7fELF", "it cannot be run: "),
    ],
)
def test_what_is_not_the_program_is_not_kept(
    program: bytes,
    digest_of: bytes,
    why: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def answer(path: str) -> bytes:
        digest = hashlib.sha256(digest_of).hexdigest().encode()
        return digest if path.endswith(".sha256") else program

    monkeypatch.setattr(downloads, "_PROBE_SECONDS", str(SECONDS_OF_THE_SLOW))
    with host(answer) as address:
        monkeypatch.setenv(downloads.VARIABLE, address)
        downloads.fetch(PROGRAM)
    assert f"  {NAME}: {why}" in capsys.readouterr().err
    assert [path for path in PROGRAM.cached.parent.iterdir() if path.is_file()] == []
