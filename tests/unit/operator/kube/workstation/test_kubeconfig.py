"""Whom a command asks: what kubectl reads, by the same rules."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from enso_operator.kube.workstation import kubeconfig
from enso_operator.kube.workstation.errors import NoCluster
from enso_operator.kube.workstation.kubeconfig import access

FARM: dict[str, Any] = {
    "current-context": "farm",
    "contexts": [
        {"name": "farm", "context": {"cluster": "farm", "user": "ann", "namespace": "shows"}},
        {"name": "test", "context": {"cluster": "test", "user": "ann"}},
    ],
    "clusters": [
        {"name": "farm", "cluster": {"server": "https://farm:6443/"}},
        {"name": "test", "cluster": {"server": "https://test"}},
    ],
    "users": [{"name": "ann", "user": {"token": "t", "client-key": "keys/ann"}}],
}


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine has no kubeconfig, and is no Pod."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)


def written(path: Path, config: object) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(config))
    return str(path)


def test_the_current_context_says_whom_to_ask(tmp_path: Path) -> None:
    found = access(written(tmp_path / "config", FARM))
    assert (found.server, found.namespace) == ("https://farm:6443", "shows")
    assert found.user["token"] == "t"  # noqa: S105  # of nobody
    assert found.user["client-key"] == str(tmp_path / "keys" / "ann")


def test_options_for_context_and_namespace_win_over_the_kubeconfig(tmp_path: Path) -> None:
    file = written(tmp_path / "config", FARM)
    assert access(file, "test").server == "https://test"
    assert access(file, "test").namespace == "default"
    assert access(file, "", "other").namespace == "other"


def test_the_home_of_the_user_and_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / "home" / ".kube" / "config", FARM)
    assert access().server == "https://farm:6443"
    other = written(tmp_path / "other", FARM | {"current-context": "test"})
    monkeypatch.setenv("KUBECONFIG", other)
    assert access().server == "https://test"


def test_of_several_files_the_first_wins_and_one_that_is_missing_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = {
        "current-context": "mine",
        "contexts": [{"name": "mine", "context": {"cluster": "farm", "user": "ann"}}],
        "users": [{"name": "ann", "user": {"token": "mine"}}],
    }
    files = [written(tmp_path / "mine", mine), str(tmp_path / "no"), written(tmp_path / "b", FARM)]
    monkeypatch.setenv("KUBECONFIG", ":".join(files))
    found = access()
    assert (found.server, found.user) == ("https://farm:6443", {"token": "mine"})
    assert access(context="test").server == "https://test"


def test_in_a_pod_its_own_account_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubeconfig, "ACCOUNT", tmp_path)
    (tmp_path / "namespace").write_text("jobs\n")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    found = access()
    assert (found.server, found.namespace) == ("https://10.0.0.1:443", "jobs")
    assert found.user["tokenFile"] == str(tmp_path / "token")


EMPTY: list[Any] = []
NOT_OURS: dict[str, Any] = {"name": "bob", "user": {}}
WRONG: list[tuple[Any, str, str]] = [
    (FARM, "fram", "there is no context 'fram' in .*; it has: farm, test"),
    (FARM | {"current-context": ""}, "", "has no current context: add --context, one of farm,"),
    (FARM | {"clusters": EMPTY}, "", "there is no cluster 'farm' in .*; it has: none"),
    (FARM | {"users": [NOT_OURS]}, "", "there is no user 'ann' in .*: bob"),
    (["no", "mapping"], "", "config is no kubeconfig"),
    ({"contexts": [{"no": "name"}]}, "", "config is no kubeconfig"),
]


@pytest.mark.parametrize(("config", "context", "sentence"), WRONG)
def test_what_is_wrong_is_one_sentence(
    config: object, context: str, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(NoCluster, match=sentence) as raised:
        access(written(tmp_path / "config", config), context)
    assert "\n" not in str(raised.value)


def test_without_a_kubeconfig_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NoCluster, match=r"\.kube/config does not exist; set KUBECONFIG, or add"):
        access()
    with pytest.raises(NoCluster, match=r"kubeconfig .*/gone cannot be used: .*No such file"):
        access(str(tmp_path / "gone"))


def test_certificates_are_data_or_files(tmp_path: Path) -> None:
    found = access(written(tmp_path / "config", FARM))
    (tmp_path / "ca").write_bytes(b"of a file")
    data = base64.b64encode(b"of the data").decode()
    assert found.content({"ca": str(tmp_path / "ca")}, "ca") == b"of a file"
    assert found.content({"ca": str(tmp_path / "ca"), "ca-data": data}, "ca") == b"of the data"
    assert found.content({}, "ca") == b""
    with pytest.raises(NoCluster, match="ca-data in the kubeconfig is no base64"):
        found.content({"ca-data": "x"}, "ca")
    with pytest.raises(NoCluster, match="the kubeconfig's ca cannot be read"):
        found.content({"ca": str(tmp_path / "gone")}, "ca")
