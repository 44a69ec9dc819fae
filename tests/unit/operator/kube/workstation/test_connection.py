"""Straight or through a proxy: as kubeconfig and environment say, by the rules of kubectl."""

from __future__ import annotations

import pytest

from enso_operator.kube.workstation.connection import Connector
from enso_operator.kube.workstation.errors import NoCluster
from enso_operator.kube.workstation.kubeconfig import Access

PROXY = "http://ann:p%40ss@proxy:3128"


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


def reached(server: str, **cluster: object) -> tuple[str, int]:
    """Whom a connection would call first."""
    connection = Connector(Access(server, "shows", dict(cluster))).connect(1)
    return connection.host, connection.port


def test_without_a_proxy_the_server_itself_is_reached() -> None:
    assert reached("https://farm:6443") == ("farm", 6443)
    assert reached("https://farm") == ("farm", 443)
    assert reached("http://[::1]:8080") == ("::1", 8080)


def test_the_environments_proxy_and_whom_it_is_not_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    assert reached("https://farm:6443") == ("proxy", 3128)
    for server in ("https://localhost:1", "https://127.0.0.1:1", "https://[::1]:1"):
        assert reached(server)[0] != "proxy"
    monkeypatch.setenv("NO_PROXY", "other, .studio.example,10.0.0.0/8,*.wild.example")
    for server in (
        "https://api.studio.example",
        "https://studio.example",
        "https://10.1.2.3",
        "https://a.wild.example",
    ):
        assert reached(server)[0] != "proxy"
    for server in ("https://mystudio.example", "https://11.1.2.3", "https://farm"):
        assert reached(server)[0] == "proxy"
    monkeypatch.setenv("NO_PROXY", "*")
    assert reached("https://farm") == ("farm", 443)


def test_the_kubeconfigs_proxy_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://other:1")
    monkeypatch.setenv("NO_PROXY", "*")
    assert reached("https://farm", **{"proxy-url": PROXY}) == ("proxy", 3128)


def test_a_plain_server_is_asked_through_the_proxy_by_its_whole_address() -> None:
    connector = Connector(Access("http://farm:8080/base", "shows", {"proxy-url": PROXY}))
    assert connector.target("/api") == "http://farm:8080/base/api"
    assert ("Proxy-Authorization", "Basic YW5uOnBAc3M=") in connector.headers()


def test_what_cannot_be_used_is_said() -> None:
    with pytest.raises(NoCluster, match="the proxy socks5://proxy cannot be used"):
        reached("https://farm", **{"proxy-url": "socks5://proxy:1080"})
    with pytest.raises(NoCluster, match="server 'farm:6443' is no http"):
        reached("farm:6443")
