"""Connections to one API server, straight or through a proxy, with the caller's credentials."""

from __future__ import annotations

import base64
import http.client
import ipaddress
import os
import socket
import ssl
from urllib.parse import SplitResult, unquote, urlsplit

from enso_operator.kube.workstation.credentials import Credentials
from enso_operator.kube.workstation.errors import NoCluster
from enso_operator.kube.workstation.kubeconfig import Access

CONNECT_SECONDS = 10.0
_PORTS = {"https": 443, "http": 80}
_KEEPALIVE = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
"""Seconds: a stream may be idle for hours; TCP finds out whether its other end still exists."""


class Connector:
    """Opens connections, and adds the caller's credentials to each request."""

    def __init__(self, access: Access) -> None:
        self._url = urlsplit(access.server)
        self._scheme = self._url.scheme
        if self._scheme not in _PORTS or not self._url.hostname:
            raise NoCluster(f"the kubeconfig's server {access.server!r} is no http(s) address")
        self._host = self._url.hostname
        self._port = self._url.port or _PORTS[self._scheme]
        self._server_name = str(access.cluster.get("tls-server-name") or self._host)
        self._credentials = Credentials(access)
        self._proxy = _proxy(self._scheme, self._host, str(access.cluster.get("proxy-url") or ""))

    def connect(self, read_timeout_seconds: float | None) -> http.client.HTTPConnection:
        """Return a connection, which is opened by its first request.

        A read fails if no data comes for so many seconds; with None it waits for ever.
        """
        proxy = self._proxy
        host, port = self._host, self._port
        if proxy:
            host, port = proxy.hostname or "", proxy.port or _PORTS["http"]
        if self._scheme == "http":
            return _Connection(host, port, read_timeout_seconds)
        connection = _TlsConnection(host, port, read_timeout_seconds)
        connection.tls, connection.server_name = self._credentials.tls_context(), self._server_name
        if proxy:
            connection.set_tunnel(self._host, self._port, headers=_authorization(proxy))
        return connection

    def headers(self) -> list[tuple[str, str]]:
        """Return the headers of each request."""
        headers = [("User-Agent", "enso"), *self._credentials.headers()]
        if self._proxy and self._scheme == "http":
            headers += _authorization(self._proxy).items()
        return headers

    def target(self, path: str) -> str:
        """Return the target of a request line: an absolute URL for an http proxy, else a path."""
        path = f"{self._url.path}{path}"
        is_absolute = self._proxy and self._scheme == "http"
        return f"http://{self._url.netloc}{path}" if is_absolute else path

    def can_be_renewed(self) -> bool:
        """Whether refused credentials can be replaced; the next request then gets new ones."""
        return self._credentials.can_be_renewed()


class _Connection(http.client.HTTPConnection):
    def __init__(self, host: str, port: int, read_timeout_seconds: float | None) -> None:
        super().__init__(host, port, timeout=CONNECT_SECONDS)
        self._read_timeout_seconds = read_timeout_seconds

    def connect(self) -> None:
        super().connect()
        self._wait_for_answers()

    def _wait_for_answers(self) -> None:
        self.sock.settimeout(self._read_timeout_seconds)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _KEEPALIVE:
            if hasattr(socket, option):  # not on every system
                self.sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


class _TlsConnection(_Connection):
    default_port = _PORTS["https"]
    tls: ssl.SSLContext
    server_name: str

    def connect(self) -> None:
        http.client.HTTPConnection.connect(self)
        self.sock = self.tls.wrap_socket(self.sock, server_hostname=self.server_name)
        self._wait_for_answers()


def _proxy(scheme: str, host: str, configured: str) -> SplitResult | None:
    """Return the proxy to go through: the kubeconfig's, or the environment's."""
    if not configured and not _bypasses_proxy(host):
        names = f"{scheme}_proxy".upper(), f"{scheme}_proxy"
        configured = next(filter(None, map(os.environ.get, names)), "")
    if not configured:
        return None
    proxy = urlsplit(configured if "://" in configured else f"http://{configured}")
    if proxy.scheme != "http":
        raise NoCluster(
            f"the proxy {proxy.scheme}://{proxy.hostname} cannot be used: enso knows http:// "
            "proxies only"
        )
    return proxy


def _bypasses_proxy(host: str) -> bool:
    """Whether NO_PROXY excludes this host, by the rules that kubectl follows."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = None
    if host == "localhost" or (address and address.is_loopback):
        return True
    given = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    return any(_matches(entry.strip(), host, address) for entry in given.split(","))


def _matches(
    entry: str, host: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address | None
) -> bool:
    if entry == "*":
        return True
    if address:
        try:
            return address in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
    name = entry.lstrip("*").lstrip(".").lower()
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _authorization(proxy: SplitResult) -> dict[str, str]:
    if not proxy.username:
        return {}
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {base64.b64encode(pair).decode()}"}
