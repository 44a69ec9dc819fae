"""Where no API server can be asked, a sentence says what to change."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml

from enso_operator.kube.client import ApiObjects
from enso_operator.kube.connection import NotConnected, connect

NOBODY = "http://127.0.0.1:9"


def kubeconfig(server: str = NOBODY, **context: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me", **context}}],
        "clusters": [{"name": "here", "cluster": {"server": server}}],
        "users": [{"name": "me", "user": {}}],
    }


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The kubeconfig that is asked for, which is not there yet."""
    for name in ("KUBERNETES_SERVICE_HOST", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    return tmp_path / "config"


def why_not(namespace: str = "") -> str:
    with pytest.raises(NotConnected) as error:
        connect(namespace, 1)
    sentence = str(error.value)
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "file is empty"),
        ("{", "cannot be used: while parsing"),
        ("\0", "cannot be used: unacceptable character"),
        ("[]", "cannot be used: it is no kubeconfig"),
        ("7", "cannot be used: it is no kubeconfig"),
        ("{}", "Expected key current-context"),
        (
            json.dumps(kubeconfig() | {"current-context": "there"}),
            "Expected object with name there",
        ),
        (json.dumps(kubeconfig() | {"clusters": []}), "Expected object with name here"),
        (json.dumps(kubeconfig(namespace="../a")), "'../a' is no namespace's name"),
        (json.dumps(kubeconfig("http://a b")), "did not answer: Failed to parse"),
    ],
)
def test_a_kubeconfig_that_cannot_be_used(file: Path, text: str, sentence: str) -> None:
    file.write_text(text)
    assert sentence in why_not()


def test_no_configuration_at_all(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert why_not() == f"KUBECONFIG names {file}, which does not exist"
    monkeypatch.setenv("KUBECONFIG", "")
    assert why_not().endswith("set KUBECONFIG, or add --embedded to keep jobs in memory")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "192.0.2.1")
    assert why_not().startswith("the Pod's service account cannot be used: ")


def test_an_api_server_that_does_not_answer(file: Path) -> None:
    file.write_text(yaml.safe_dump(kubeconfig()))
    assert why_not().endswith(f"Connection refused; it was asked at {NOBODY}")


def test_what_is_no_api_server(file: Path) -> None:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>Welcome</html>")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its base's
            pass

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        file.write_text(yaml.safe_dump(kubeconfig(f"http://127.0.0.1:{server.server_port}")))
        assert why_not().startswith("what answered is no API server; it was asked at http://")
        server.shutdown()


@pytest.mark.parametrize("namespace", ["..", "A", "a/b", "a" * 64])
def test_a_text_that_cannot_name_a_namespace_is_refused(file: Path, namespace: str) -> None:
    file.write_text(yaml.safe_dump(kubeconfig()))
    assert why_not(namespace) == f"{namespace!r} is no namespace's name"


def test_the_namespace_is_the_one_that_was_asked_for_or_else_the_contexts(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def installed(self: ApiObjects) -> None:
        assert self.plural == "ensojobs"

    monkeypatch.setattr(ApiObjects, "check", installed)
    file.write_text(yaml.safe_dump(kubeconfig()))
    assert connect("", 1).namespace == "default"
    file.write_text(yaml.safe_dump(kubeconfig(namespace="studio")))
    assert connect("", 1).namespace == "studio"
    assert connect("other", 1).namespace == "other"
