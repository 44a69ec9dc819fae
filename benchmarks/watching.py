"""Watches one namespace of a cluster and notes the time of each change, by this machine's clock."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from kubernetes.config import new_client_from_config  # pyright: ignore[reportUnknownVariableType]

from enso_operator.kube.connection import configuration_of

Document = dict[str, Any]
PATHS = {"ensojobs": "apis/enso.dev/v1alpha1", "pods": "api/v1", "events": "api/v1"}
DEADLINE_SECONDS = 180.0
BUSY, BUSY_SECONDS = 429, 0.2


@dataclass(frozen=True)
class Sight:
    """An object as one line of a watch had it, and when that line came."""

    at: float
    document: Document


@dataclass
class Watching:
    """One namespace, while it is watched."""

    namespace: str
    http: aiohttp.ClientSession
    sights: dict[str, list[Sight]]
    """Everything that was seen, by kind."""
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def create(self, kind: str, document: Document) -> None:
        """Create an object."""
        async with self.http.post(self.path(kind), json=document) as answer:
            if not answer.ok:
                raise RuntimeError(await answer.text())

    async def until(self, kind: str, is_it: Callable[[Document], bool]) -> Sight:
        """Wait for the first object for which `is_it` holds."""
        looked = 0
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                self._news.clear()
                seen = self.sights[kind]
                for sight in seen[looked:]:
                    if is_it(sight.document):
                        return sight
                looked = len(seen)
                await self._news.wait()

    async def log(self, pod: str, container: str) -> list[tuple[str, str]]:
        """Return the lines of a container's log, each with the time at which it was written."""
        query = {"container": container, "timestamps": "true"}
        async with self.http.get(f"{self.path('pods')}/{pod}/log", params=query) as answer:
            lines = (await answer.text()).splitlines()
        return [(time, text) for time, _, text in (line.partition(" ") for line in lines)]

    def path(self, kind: str) -> str:
        """Return where the API server has objects of a kind."""
        return f"/{PATHS[kind]}/namespaces/{self.namespace}/{kind}"

    async def watch(self, kind: str) -> None:
        """Note everything that the watch of a kind brings; it ends when a CRD is changed."""
        version = ""
        while True:
            query = {"watch": "true"} | ({"resourceVersion": version} if version else {})
            async with self.http.get(self.path(kind), params=query) as answer:
                if answer.status == BUSY:  # not served for a moment after a CRD was changed
                    await asyncio.sleep(BUSY_SECONDS)
                    continue
                answer.raise_for_status()
                async for line in _lines(answer.content):
                    sight = Sight(time.time(), json.loads(line)["object"])
                    version = sight.document["metadata"].get("resourceVersion", "")
                    if not version:  # the version is too old: list everything again
                        break
                    self.sights[kind].append(sight)
                    self._news.set()


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    rest = b""
    async for chunk in content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line


@asynccontextmanager
async def watching(kubeconfig: Path, namespace: str) -> AsyncGenerator[Watching]:
    """Yield a `Watching` of the EnsoJobs, Pods and Events of a namespace."""
    with new_client_from_config(str(kubeconfig)) as client:  # type: ignore[no-untyped-call]
        configuration = configuration_of(client)
    context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    connector = aiohttp.TCPConnector(ssl=context)
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(
        configuration.host, connector=connector, timeout=timeout
    ) as http:
        watched = Watching(namespace, http, {kind: [] for kind in PATHS})
        async with asyncio.TaskGroup() as tasks:
            watches = [tasks.create_task(watched.watch(kind)) for kind in PATHS]
            yield watched
            for watch in watches:
                watch.cancel()
