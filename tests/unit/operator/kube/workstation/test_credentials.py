"""Who asks: tokens, passwords, impersonation, and programs that get credentials."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from enso_operator.kube.workstation.credentials import Credentials
from enso_operator.kube.workstation.errors import NoCluster
from enso_operator.kube.workstation.kubeconfig import Access

TELLS = """\
import json, os, pathlib, sys
asked = pathlib.Path(sys.argv[1])
asked.write_text(asked.read_text() + os.environ["KUBERNETES_EXEC_INFO"] + "\\n")
token = os.environ["PREFIX"] + str(len(asked.read_text().splitlines()))
print(json.dumps({"kind": "ExecCredential", "status": {"token": token}}))
"""


def headers(user: dict[str, Any]) -> list[tuple[str, str]]:
    return Credentials(Access("https://farm", "shows", {}, user)).headers()


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    """What the program was asked, one line for each time."""
    file = tmp_path / "asked"
    file.touch()
    return file


@pytest.fixture
def program(asked: Path) -> dict[str, Any]:
    return {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": sys.executable,
        "args": ["-c", TELLS, str(asked)],
        "env": [{"name": "PREFIX", "value": "token-"}],
    }


def test_a_token_and_one_in_a_file_which_wins(tmp_path: Path) -> None:
    assert headers({"token": "t"}) == [("Authorization", "Bearer t")]
    (tmp_path / "token").write_text("fresh\n")
    user = {"token": "t", "tokenFile": str(tmp_path / "token")}
    assert headers(user) == [("Authorization", "Bearer fresh")]


def test_a_user_with_a_password_and_one_without_credentials() -> None:
    assert headers({"username": "ann", "password": "x"}) == [("Authorization", "Basic YW5uOng=")]
    assert headers({}) == []


def test_impersonation_is_sent_as_headers() -> None:
    user = {"as": "bob", "as-groups": ["a", "b"], "as-user-extra": {"studio": ["x"]}}
    assert headers(user) == [
        ("Impersonate-User", "bob"),
        ("Impersonate-Group", "a"),
        ("Impersonate-Group", "b"),
        ("Impersonate-Extra-studio", "x"),
    ]


def test_a_program_is_asked_once_and_again_when_its_token_is_refused(
    program: dict[str, Any], asked: Path
) -> None:
    credentials = Credentials(Access("https://farm", "shows", {}, {"exec": program}))
    first = credentials.headers()
    assert first == credentials.headers() == [("Authorization", "Bearer token-1")]
    assert credentials.can_be_renewed()
    assert credentials.headers() == [("Authorization", "Bearer token-2")]
    info = json.loads(asked.read_text().splitlines()[0])
    assert (info["kind"], info["spec"]) == ("ExecCredential", {"interactive": False})


def test_a_program_is_told_of_the_cluster_where_it_wants_to_know(
    program: dict[str, Any], asked: Path
) -> None:
    headers({"exec": program | {"provideClusterInfo": True}})
    assert json.loads(asked.read_text())["spec"]["cluster"]["server"] == "https://farm"


def test_what_was_not_given_by_a_program_cannot_be_renewed() -> None:
    assert not Credentials(Access("https://farm", "shows", {}, {"token": "t"})).can_be_renewed()


@pytest.mark.parametrize(
    ("user", "sentence"),
    [
        (
            {"exec": {"command": "no-such-program", "installHint": "get it\nfrom IT"}},
            "credentials from no-such-program, which is not installed: get it from IT",
        ),
        ({"exec": {"command": "false"}}, "false, which gets your credentials, failed: .*status 1"),
        ({"exec": {"command": "echo", "args": ["hi"]}}, "echo, which gets .*, gave none"),
        ({"auth-provider": {"name": "gcp"}}, "has an auth-provider, which kubectl has given up"),
    ],
)
def test_what_is_wrong_is_one_sentence(user: dict[str, Any], sentence: str) -> None:
    with pytest.raises(NoCluster, match=sentence):
        headers(user)


def test_a_certificate_that_is_none() -> None:
    access = Access("https://farm", "shows", {"certificate-authority-data": "eA=="}, {})
    with pytest.raises(NoCluster, match="a certificate of the kubeconfig cannot be used"):
        Credentials(access).tls_context()
