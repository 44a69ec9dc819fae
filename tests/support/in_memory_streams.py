"""The streams of a cluster in memory: logs of Pods, as a kubelet tells them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from enso_operator.api.document import Document
from enso_operator.kube.client import NoSuchObject
from enso_operator.kube.streams import WatchExpired
from tests.support.in_memory_objects import InMemoryCluster
from tests.support.tables import table_of


@dataclass
class InMemoryStreams:
    """Implements `kube.streams.Streams`."""

    logs: dict[str, list[bytes]] = field(default_factory=dict[str, list[bytes]])
    """The log of each Pod, in the pieces that it comes in."""
    cluster: InMemoryCluster = field(default_factory=InMemoryCluster)
    """What is watched."""
    watches: int = 0
    """How many watches are open."""
    begun: list[str] = field(default_factory=list[str])
    """The versions from which there was one."""
    ends: list[Exception | None] = field(default_factory=list[Exception | None])
    """How the next watches end, each after its first event; None as the server ends it in time."""
    opened: list[tuple[str, bool]] = field(default_factory=list[tuple[str, bool]])
    """The Pods whose log was read, each with whether it was followed."""

    async def log(
        self, namespace: str, pod: str, container: str, *, is_following: bool
    ) -> AsyncGenerator[bytes]:
        del namespace, container
        self.opened.append((pod, is_following))
        if pod not in self.logs:
            raise NoSuchObject(f"pods {pod!r} not found")
        for piece in self.logs[pod]:
            yield piece

    async def table_changes(
        self, namespace: str, plural: str, version: str
    ) -> AsyncGenerator[Document]:
        del plural
        if self.cluster.version < int(version):
            raise WatchExpired("too new")
        queue, before = asyncio.Queue[tuple[str, Document]](), self.cluster.watch
        loop = asyncio.get_running_loop()

        def told(kind: str, document: Document) -> None:
            before(kind, document)
            loop.call_soon_threadsafe(queue.put_nowait, (kind, document))

        self.cluster.watch = told
        self.begun.append(version)
        self.watches += 1
        try:
            while True:
                kind, document = await queue.get()
                if document["metadata"]["namespace"] == namespace:
                    yield {"type": kind, "object": table_of([document])}
                if self.ends:
                    error = self.ends.pop(0)
                    if error:
                        raise error
                    return
        finally:
            self.watches -= 1
            self.cluster.watch = before
