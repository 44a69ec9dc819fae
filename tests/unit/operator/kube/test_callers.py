"""Callers' requests bring their own token, and nothing that this server's kubeconfig has."""

from __future__ import annotations

import json
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from enso_operator.kube import callers
from enso_operator.kube.api_session import authorization
from enso_operator.kube.callers import connect_without_credentials, of_caller, user_name
from enso_operator.kube.client import Unauthorized
from enso_operator.kube.connection import NotConnected, configuration_of
from job_execution_framework.domain.secret import Secret

EXEC = "client.authentication.k8s.io/v1"
REVIEW = {"status": {"userInfo": {"username": "ann"}}}


class ApiServer(HTTPServer):
    """Answers a review to whoever has the token of ann, and remembers who asked for what."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str | None]] = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(200, {})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        is_ann = self.headers.get("Authorization") == "Bearer anns"
        self._answer(201 if is_ann else 401, REVIEW if is_ann else {"message": "Unauthorized"})

    def _answer(self, status: int, document: object) -> None:
        assert isinstance(self.server, ApiServer)
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its base's
        pass


@pytest.fixture
def server() -> Generator[ApiServer]:
    with ApiServer() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def answered(*_: object) -> dict[str, str]:
    """Return what an API server says of itself."""
    return {"major": "1"}


def kubeconfig(folder: Path, server: str, user: dict[str, Any]) -> Path:
    file = folder / "config"
    config = {
        "current-context": "here",
        "contexts": [
            {"name": "here", "context": {"cluster": "here", "user": "me", "namespace": "studio"}}
        ],
        "clusters": [
            {"name": "here", "cluster": {"server": server, "certificate-authority": "ca.crt"}}
        ],
        "users": [{"name": "me", "user": user}],
    }
    file.write_text(json.dumps(config))
    (folder / "ca.crt").touch()
    return file


@pytest.mark.parametrize(
    "user",
    [
        {"token": "mine"},
        {"tokenFile": "token"},
        {"username": "me", "password": "mine"},
        {"client-certificate": "me.crt", "client-key": "me.key"},
        {"exec": {"command": "touch", "args": ["RAN"], "apiVersion": EXEC}},
        {"auth-provider": {"name": "gcp", "config": {"cmd-path": "touch", "cmd-args": "RAN"}}},
        {"as": "me", "token": "mine"},
        {},
    ],
)
def test_no_credentials_of_the_kubeconfig_reach_a_request(
    server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: dict[str, Any]
) -> None:
    ran = tmp_path / "ran"
    user = json.loads(json.dumps(user).replace("RAN", str(ran)))
    (tmp_path / "token").write_text("mine")
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, address, user)))

    nobody = connect_without_credentials("", 1)
    assert nobody.namespace == "studio"
    assert user_name(of_caller(nobody, Secret("anns")).client) == "ann"
    with pytest.raises(Unauthorized):
        user_name(of_caller(nobody, Secret("bobs")).client)
    with pytest.raises(Unauthorized):
        user_name(nobody.client)

    assert [asked for path, asked in server.asked if path == "/version"] == [None]
    reviews = [asked for path, asked in server.asked if path != "/version"]
    assert reviews == ["Bearer anns", "Bearer bobs", None]
    assert not ran.exists()


def test_a_client_certificate_is_not_even_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not that of the kubeconfig: only its cluster is read, with the CA beside the file."""
    user = {"client-certificate": "me.crt", "client-key": "me.key", "token": "mine"}
    file = kubeconfig(tmp_path, "https://127.0.0.1:9", user)
    monkeypatch.setenv("KUBECONFIG", str(file))
    monkeypatch.setattr(callers, "request", answered)  # nobody answers at port 9

    nobody = connect_without_credentials("", 1)
    configuration = configuration_of(nobody.client)
    assert configuration.ssl_ca_cert == str(tmp_path / "ca.crt")
    assert (configuration.cert_file, configuration.key_file) == (None, None)
    assert authorization(configuration) == {}
    ann = configuration_of(of_caller(nobody, Secret("anns")).client)
    assert authorization(ann) == {"Authorization": "Bearer anns"}
    assert authorization(configuration) == {}


def test_in_a_pod_the_certificate_and_the_namespace_are_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    monkeypatch.setattr(callers, "POD_FOLDER", tmp_path)
    monkeypatch.setattr(callers, "POD_NAMESPACE", tmp_path / "namespace")
    with pytest.raises(NotConnected, match=r"ca\.crt.*mount the ConfigMap kube-root-ca\.crt into"):
        connect_without_credentials("", 1)
    (tmp_path / "ca.crt").touch()
    (tmp_path / "namespace").write_text("enso\n")
    (tmp_path / "token").write_text("the Pod's")
    monkeypatch.setattr(callers, "request", answered)
    nobody = connect_without_credentials("shows", 1)
    configuration = configuration_of(nobody.client)
    assert (configuration.host, nobody.namespace) == ("https://[fd00::1]:443", "shows")
    assert authorization(configuration) == {}


def test_where_no_api_server_answers_it_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, "http://127.0.0.1:9", {})))
    with pytest.raises(NotConnected, match="Connection refused; it was asked at http://127"):
        connect_without_credentials("", 1)
