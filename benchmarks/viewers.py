"""What many who look at the same job cost: memory of the server, and watches at the API server.

``python -m benchmarks.viewers`` runs it alone: an API server, `enso serve --auth=kubernetes`, one
job, and 500 open streams of 20 users, half of them of the list and half of the job's page.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import tempfile
from collections import Counter
from pathlib import Path

import aiohttp
from dev.cluster import plane, sharing
from dev.cluster.commands import install_crds
from kubernetes.config import new_client_from_config  # pyright: ignore[reportUnknownVariableType]

from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.kubeconfigs import of_context
from tests.cluster.users import READ, user
from tests.support.eventually import until_async
from tests.support.resources import of_scripts
from tests.support.running import cpu_seconds
from tests.support.serve_program import Server, serving

USERS, STREAMS_OF_A_USER = 20, 25
PATHS = ("/live", "/jobs/shot/live")
CHANGES = 60
"""How often the job is changed while they look, once a second."""


def measure(folder: Path) -> None:
    """Print the figures."""
    with sharing.claimed(secrets.token_hex(4)) as name:
        cluster = plane.start(name, audit=True)
        install_crds(cluster.kubectl)
        with new_client_from_config(str(cluster.kubeconfig)) as client:  # type: ignore[no-untyped-call]
            ns = ClusterNamespace(cluster, client, "default")
            ns.apply(of_scripts({}, {}, {}, suspend=True))
            tokens = [user(ns, f"viewer-{number}", *READ).token for number in range(USERS)]
            kubeconfig = of_context(cluster, "default", folder)
            with serving(kubeconfig, "--auth=kubernetes") as server:
                for token in tokens:  # all at once are told to come again in a few seconds
                    server.ask("GET", "/jobs/shot", {"Authorization": f"Bearer {token}"})
                mark = cluster.audit.mark()
                print(f"no stream: {_memory_of(server):.0f} MiB")
                asyncio.run(_look(ns, server, tokens))
                asked = Counter(
                    f"{request.verb} {request.resource}"
                    for request in cluster.audit.since(mark)
                    if request.user.startswith("system:serviceaccount:default:viewer")
                )
                print("requests of all of them:", dict(asked.most_common()))


def _memory_of(server: Server) -> float:
    """MiB that the server has at most had."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


async def _look(ns: ClusterNamespace, server: Server, tokens: list[str]) -> None:
    wanted = [(token, PATHS[number % 2]) for number in range(STREAMS_OF_A_USER) for token in tokens]
    url, events = f"http://127.0.0.1:{server.port}", Counter[int]()
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(url, connector=connector) as http, asyncio.TaskGroup() as all_:

        async def view(number: int, token: str, path: str) -> None:
            headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
            async with http.get(path, headers=headers) as answer:
                if not answer.ok:
                    raise RuntimeError(await answer.text())
                async for line in answer.content:
                    events[number] += line.startswith(b"id:")

        views = [
            all_.create_task(view(number, token, path))
            for number, (token, path) in enumerate(wanted)
        ]
        await until_async(lambda: _all_have(events, len(views)))
        first, before = sum(events.values()), cpu_seconds(server.process.pid)
        print(f"{len(views)} streams: {_memory_of(server):.0f} MiB at the most")
        for number in range(CHANGES):
            await asyncio.to_thread(
                ns.kubectl, "label", "--overwrite", "ensojob/shot", f"n={number}"
            )
            await asyncio.sleep(1)
        used = cpu_seconds(server.process.pid) - before
        print(f"after {CHANGES} changes of the job: {_memory_of(server):.0f} MiB at the most")
        print(f"events: {(sum(events.values()) - first) / CHANGES:.0f} for each change")
        print(f"CPU: {1000 * used / CHANGES:.0f} ms for each change; load {os.getloadavg()[0]:.1f}")
        for task in views:
            task.cancel()


async def _all_have(events: Counter[int], count: int) -> bool:
    return len(events) == count and all(events.values())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        measure(Path(directory))
