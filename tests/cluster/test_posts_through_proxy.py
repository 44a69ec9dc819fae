"""Objects that are created through a proxy that connects, as HTTPS_PROXY names one."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from dev.cluster.plane import Cluster
from kubernetes.client import Configuration
from kubernetes.config import new_client_from_config  # pyright: ignore[reportUnknownVariableType]

from enso_operator.kube.client import Taken, path_of
from enso_operator.kube.connection import configuration_of
from enso_operator.kube.posts import ApiPosts
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.support.resources import Document

pytestmark = pytest.mark.anyio
DOCUMENT: Document = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "note"}}
CONNECTED = b"HTTP/1.1 200 Connection established\r\n\r\n"


@dataclass
class Tunnel:
    """A proxy that connects whoever asks with the server that they name."""

    heads: list[str] = field(default_factory=list[str])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heads.append(head)
        server = urlsplit(f"//{head.split()[1]}")
        there, to_there = await asyncio.open_connection(server.hostname, server.port)
        writer.write(CONNECTED)
        await asyncio.gather(_pass_on(reader, to_there), _pass_on(there, writer))


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(2**16):
            writer.write(data)
    finally:
        writer.close()


@asynccontextmanager
async def posting(configuration: Configuration, tunnel: Tunnel) -> AsyncGenerator[ApiPosts]:
    listening = await asyncio.start_server(tunnel.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    configuration.proxy, configuration.no_proxy = f"http://ann:word@127.0.0.1:{port}", None
    posts = ApiPosts(configuration)
    try:
        yield posts
    finally:
        await posts.close()
        listening.close()


async def test_a_proxy_connects_with_the_api_server(ns: ClusterNamespace, crds: Cluster) -> None:
    tunnel, path = Tunnel(), path_of(ns.namespace, "configmaps", "v1")
    with new_client_from_config(str(crds.kubeconfig)) as client:  # type: ignore[no-untyped-call]
        configuration = configuration_of(client)
    async with posting(configuration, tunnel) as posts:
        await posts.create(path, DOCUMENT)
        with pytest.raises(Taken, match="already exists"):
            await posts.create(path, DOCUMENT)
    assert len(tunnel.heads) == 1, "the connection is kept"
    assert tunnel.heads[0].startswith(f"CONNECT {urlsplit(configuration.host).netloc} HTTP/1.1")
    words = base64.b64encode(b"ann:word").decode()
    assert f"\r\nProxy-Authorization: Basic {words}\r\n" in tunnel.heads[0]
