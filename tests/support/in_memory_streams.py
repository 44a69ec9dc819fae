"""The streams of a cluster in memory: logs of Pods, as a kubelet tells them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from enso_operator.kube.client import NoSuchObject


@dataclass
class InMemoryStreams:
    """Implements `kube.streams.Streams`."""

    logs: dict[str, list[bytes]] = field(default_factory=dict[str, list[bytes]])
    """The log of each Pod, in the pieces that it comes in."""
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
