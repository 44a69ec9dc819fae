"""Requests and streams over real HTTP, and what its accidents mean."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Generator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from enso_operator.cli.jobs.follow import Changed, Disconnected, FullList, watch_objects
from enso_operator.kube.workstation.api_server import JSON, ApiServer
from enso_operator.kube.workstation.errors import Answered, NoCluster, NoSuchName, NotInstalled
from enso_operator.kube.workstation.kubeconfig import Access

Answer = tuple[int, bytes]


class Server:
    """Answers what a test tells it to, one answer after the other."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.tokens: list[str | None] = []
        self.sent: list[tuple[str, Any]] = []
        self.answers: list[Answer] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:  # as the base class calls it
                outer.asked.append(self.path)
                outer.tokens.append(self.headers["Authorization"])
                status, body = outer.answers.pop(0)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                self.close_connection = outer.is_closing

            def do_PATCH(self) -> None:  # as the base class calls it
                length = int(self.headers["Content-Length"])
                outer.sent.append(
                    (self.headers["Content-Type"], json.loads(self.rfile.read(length)))
                )
                self.do_GET()

            do_DELETE = do_PATCH  # noqa: N815  # as the base class calls it

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        self.is_closing = False
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"


@pytest.fixture
def server() -> Generator[Server]:
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.http.shutdown()
    server.http.server_close()
    thread.join()


@pytest.fixture
def api(server: Server) -> Generator[ApiServer]:
    with closing(ApiServer(Access(server.url, "shows"))) as api:
        yield api


def said(**document: Any) -> bytes:  # noqa: ANN401  # JSON
    return json.dumps(document).encode()


def test_a_list_comes_in_parts(server: Server, api: ApiServer) -> None:
    server.answers = [
        (200, said(metadata={"continue": "next"}, items=[1])),
        (200, said(metadata={}, items=[2])),
    ]
    pages = [*api.pages(api.path("ensojobs"), {"labelSelector": "a=b"})]
    assert [page["items"] for page in pages] == [[1], [2]]
    path = "/apis/enso.dev/v1alpha1/namespaces/shows/ensojobs?labelSelector=a%3Db&limit=500"
    assert server.asked == [path, f"{path}&continue=next"]


def test_what_is_applied_and_deleted(server: Server, api: ApiServer) -> None:
    server.answers = [(201, said(a=1)), (200, said(a=1)), (200, said(status="Success"))]
    path = api.path("ensoscripts", "open-scene")
    assert api.apply(path, {"a": 1}) == {"a": 1}
    assert api.apply(path, {"a": 1}, is_dry_run=True) == {"a": 1}
    api.delete(path, uid="0c9f")
    strictly = "fieldManager=enso&fieldValidation=Strict"
    assert server.asked == [f"{path}?{strictly}", f"{path}?{strictly}&dryRun=All", path]
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": "0c9f"}}
    applied = ("application/apply-patch+yaml", {"a": 1})
    assert server.sent == [applied, applied, (JSON, options)]


def test_a_name_cannot_be_a_path(api: ApiServer) -> None:
    assert api.path("pods", "../x?y") == "/api/v1/namespaces/shows/pods/..%2Fx%3Fy"
    assert api.path("ensojobs", everywhere=True) == "/apis/enso.dev/v1alpha1/ensojobs"


def test_a_connection_that_was_closed_meanwhile_is_opened_again(
    server: Server, api: ApiServer
) -> None:
    server.is_closing = True  # without saying so in a header
    server.answers = [(200, said(a=1)), (200, said(a=2))]
    assert (api.get("/a"), api.get("/b")) == ({"a": 1}, {"a": 2})


def test_a_token_that_has_expired_is_got_afresh(server: Server) -> None:
    program = "import os, json; print(json.dumps({'status': {'token': str(os.getpid())}}))"
    user = {"exec": {"command": sys.executable, "args": ["-c", program]}}
    server.answers = [(401, said(message="Unauthorized")), (200, said(a=1))]
    with closing(ApiServer(Access(server.url, "shows", {}, user))) as api:
        assert api.get("/a") == {"a": 1}
    first, second = server.tokens
    assert first
    assert second
    assert first != second


@pytest.mark.parametrize(
    ("status", "body", "kind", "sentence"),
    [
        (404, said(message='"x" not found', details={"name": "x"}), NoSuchName, '"x" not found'),
        (404, b"404 page not found", NotInstalled, "404 page not found"),
        (403, said(message="you cannot list"), Answered, "you lack a right .*: you cannot list"),
        (401, said(message="Unauthorized"), Answered, "does not know you .*: log in again"),
        (500, b"<html>broken</html>", Answered, "answers 500: <html>broken"),
        (200, b"<html>hello</html>", NoCluster, "what answers at http.* is no API server"),
    ],
)
def test_what_an_answer_means(
    status: int, body: bytes, kind: type[Exception], sentence: str, server: Server, api: ApiServer
) -> None:
    server.answers = [(status, body)]
    with pytest.raises(kind, match=sentence) as raised:
        api.get("/a")
    assert type(raised.value) is kind


def test_a_refused_connection_is_told_with_its_address() -> None:
    with pytest.raises(NoCluster, match=r"127\.0\.0\.1:1 does not answer: Connection refused"):
        ApiServer(Access("http://127.0.0.1:1", "shows")).get("/a")


def test_a_watch_begins_again_with_a_list_when_its_history_is_gone(
    server: Server, api: ApiServer
) -> None:
    def event(kind: str, version: str) -> bytes:
        thing = {"metadata": {"resourceVersion": version}, "message": "too old"}
        return said(type=kind, object=thing) + b"\n"

    server.answers = [
        (200, said(metadata={"resourceVersion": "5"}, items=[])),
        (200, event("MODIFIED", "6") + event("BOOKMARK", "9")),
        (200, event("ERROR", "")),
        (200, said(metadata={"resourceVersion": "20"}, items=[])),
        (410, said(message="too old")),
        (503, said(message="not yet")),
        (200, said(metadata={"resourceVersion": "30"}, items=[])),
    ]
    seen = watch_objects(api, "/jobs", {}, JSON)
    kinds = [type(next(seen)) for _ in range(7)]
    assert kinds == [
        FullList,
        Changed,
        Disconnected,
        FullList,
        Disconnected,
        Disconnected,
        FullList,
    ]
    versions = [path.rpartition("=")[2] for path in server.asked if "watch=1" in path]
    assert versions == ["5", "9", "20"]
