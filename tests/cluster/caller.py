"""A client of the API server behind a fault proxy that never repeats a call by itself."""

from __future__ import annotations

import json
import select
import socket
import subprocess
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from typing import Any, cast
from urllib.parse import urlsplit

from dev.cluster import binaries
from dev.cluster.plane import Cluster

from tests.support.eventually import DEADLINE_SECONDS
from tests.support.fault_proxy import FaultProxy


@dataclass
class Caller:
    """Speaks plain HTTP, on one connection that is kept alive."""

    proxy: FaultProxy
    namespace: str
    headers: dict[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        config = json.loads(self.proxy.kubeconfig.read_text())
        address = urlsplit(str(config["clusters"][0]["cluster"]["server"]))
        self.address = (address.hostname or "", address.port or 0)
        self.connection = HTTPConnection(*self.address, timeout=DEADLINE_SECONDS)

    @property
    def config_maps(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/configmaps"

    @property
    def jobs(self) -> str:
        return f"/apis/enso.dev/v1alpha1/namespaces/{self.namespace}/ensojobs"

    def ask(self, method: str, path: str, document: object = None) -> tuple[int, Any]:
        """Return the code and the document of the answer."""
        response = self.send(method, path, document)
        return response.status, json.loads(response.read())

    def send(self, method: str, path: str, document: object = None) -> HTTPResponse:
        """Return the headers of the answer."""
        kind = "merge-patch+json" if method == "PATCH" else "json"
        headers = {"Content-Type": f"application/{kind}", **self.headers}
        body = None if document is None else json.dumps(document)
        try:
            self.connection.request(method, path, body, headers)
            return self.connection.getresponse()
        except ConnectionError:
            self.connection.close()  # the next request opens a new one
            raise

    def create(self, name: str, **data: str) -> tuple[int, Any]:
        return self.ask("POST", self.config_maps, config_map(name, **data))

    def watch(self, path: str | None = None, query: str = "") -> Stream:
        """Watch on a connection of its own."""
        caller = Caller(self.proxy, self.namespace, self.headers)
        answer = caller.send("GET", f"{path or self.config_maps}?watch=true&{query}")
        assert answer.status == 200, answer.read()
        return Stream(caller, answer)

    def close(self) -> None:
        self.connection.close()


@dataclass
class Stream:
    """An open watch."""

    caller: Caller
    response: HTTPResponse

    def until(self, name: str) -> None:
        """Read until there is news of this object; at the deadline this is an error."""
        while self.line()["object"]["metadata"]["name"] != name:
            pass

    def line(self) -> dict[str, Any]:
        line = self.response.readline()
        if not line:
            raise ConnectionResetError("the watch has ended")
        return cast("dict[str, Any]", json.loads(line))

    def is_silent(self) -> bool:
        """Whether nothing can be read: no line, no end, no error."""
        connection: socket.socket = self.caller.connection.sock
        return not select.select([connection], [], [], 0)[0]

    def close(self) -> None:
        self.response.close()
        self.caller.close()


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def kubectl(proxy: FaultProxy, *arguments: str, stdin: str = "") -> str:
    """Return what it prints; `CalledProcessError` if it fails."""
    done = start_kubectl(proxy, *arguments)
    try:
        told, complained = done.communicate(stdin, timeout=DEADLINE_SECONDS)
    except subprocess.TimeoutExpired:
        done.kill()
        done.communicate()
        raise
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, arguments, told, complained)
    return told


def start_kubectl(proxy: FaultProxy, *arguments: str) -> subprocess.Popen[str]:
    config = proxy.kubeconfig
    # What it has cached of an earlier server at the same port it would not ask for again.
    places = ("--kubeconfig", str(config), "--cache-dir", str(config.with_name("cache")))
    command = [str(binaries.kubectl()), *places, *arguments]
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def config_maps(cluster: Cluster, namespace: str) -> set[str]:
    """Return the ConfigMaps that exist, without the one that every namespace has."""
    told = cluster.kubectl("get", "configmaps", "-n", namespace, "-o", "name").split()
    return {name.removeprefix("configmap/") for name in told} - {"kube-root-ca.crt"}
