"""What the requests of a job alone take of a client's processor: the least that an operator takes.

``python -m benchmarks.floor`` lets an operator run one job on simulated nodes, and then creates
many. For each of these a program that decides nothing makes the requests that the operator made,
with the operator's HTTP client, and reads what the operator reads: the watches of jobs and Pods,
and the log. It prints that program's CPU beside the operator's for as many jobs, and fails where
the operator takes too much more.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

import aiohttp
from kubernetes.client import ApiClient, Configuration
from kubernetes.config import (
    load_kube_config,  # pyright: ignore[reportUnknownVariableType]
    new_client_from_config,  # pyright: ignore[reportUnknownVariableType]
)

from benchmarks.engine import EnsoJobs, document_of, records
from benchmarks.many import OURS, Measure
from benchmarks.prices import NAMESPACE, again, gated, run_one
from benchmarks.simulated import simulated_cluster
from enso_operator.api.v1alpha1 import API_VERSION
from enso_operator.kube.api_session import authorization, session_of
from enso_operator.kube.client import JSON, JSON_PATCH, MERGE_PATCH, ApiObjects, path_of
from enso_operator.sessions.pods import names
from tests.support.resources import Document

JOBS = 300
AT_ONCE = 48
"""So many jobs are under way, as in the operator."""
AT_MOST = 2.5
"""So many times of what the requests take."""
READY = "ready\n"
ENSOJOBS = path_of(NAMESPACE, "ensojobs", API_VERSION)
PODS, EVENTS, PLANS = (path_of(NAMESPACE, kind, "v1") for kind in ("pods", "events", "configmaps"))


@dataclass
class Bare:
    """Makes the requests of jobs, one after the other, and decides nothing."""

    configuration: Configuration
    http: aiohttp.ClientSession
    left: Document
    """What the operator's job has left: `events`, `plan`, `pod`, `status`."""
    runs: dict[str, asyncio.Event] = field(default_factory=dict[str, asyncio.Event])
    """Whether the Pods run, by name."""

    async def do_all(self) -> None:
        """Do what the operator does for each job that is created from now on."""
        turns, jobs = asyncio.Semaphore(AT_ONCE), list[asyncio.Task[None]]()
        watching = asyncio.create_task(self._watch_pods())
        async for event in self._watch(ENSOJOBS):
            if event["type"] == "ADDED":
                name = event["object"]["metadata"]["name"]
                jobs.append(asyncio.create_task(self._do(name, len(jobs), turns)))
            if len(jobs) == JOBS:
                break
        await asyncio.gather(*jobs)
        watching.cancel()

    async def _do(self, name: str, number: int, turns: asyncio.Semaphore) -> None:
        events = [again(event, number) for event in self.left["events"]]
        pod = again(self.left["pod"], number)
        path, job = f"{PODS}/{pod['metadata']['name']}", f"{ENSOJOBS}/{name}/status"
        runs = self.runs[pod["metadata"]["name"]] = asyncio.Event()
        async with turns:
            await asyncio.gather(*(self._ask("POST", EVENTS, event) for event in events[:3]))
            await self._ask("POST", PLANS, again(self.left["plan"], number))
            await self._ask("POST", PODS, pod)
            await self._ask("PATCH", job, {"status": {"observedGeneration": 1}}, MERGE_PATCH)
            gate: Document = {"op": "remove", "path": "/spec/schedulingGates"}
            await self._ask("PATCH", path, [gate], JSON_PATCH)
            await runs.wait()
            await self._read_log(f"{path}/log?container={names.RECORDS}&follow=true")
            await asyncio.gather(*(self._ask("POST", EVENTS, event) for event in events[3:]))
            await self._ask("PATCH", job, {"status": self.left["status"]}, MERGE_PATCH)

    async def _ask(self, method: str, path: str, body: object, kind: str = JSON) -> None:
        data = json.dumps(body).encode()
        url, headers = self._place(path)
        headers["Content-Type"] = kind
        async with self.http.request(method, url, data=data, headers=headers) as answer:
            said = await answer.read()
            if not answer.ok:
                raise RuntimeError(f"{method} {path}: {said.decode()}")

    def _place(self, path: str) -> tuple[str, dict[str, str]]:
        """Return the URL of a path, and the headers of whoever may ask for it."""
        return self.configuration.host + path, authorization(self.configuration)

    async def _read_log(self, path: str) -> None:
        left = len(records())
        url, headers = self._place(path)
        async with self.http.get(url, headers=headers) as answer:
            async for line in answer.content:
                json.loads(line)
                left -= 1
                if not left:
                    return  # which closes the connection, as the log has not ended

    async def _watch_pods(self) -> None:
        async for event in self._watch(PODS):
            pod = event["object"]
            if pod["status"].get("phase") == "Running" and pod["metadata"]["name"] in self.runs:
                self.runs[pod["metadata"]["name"]].set()

    async def _watch(self, path: str) -> AsyncIterator[Document]:
        query = {"watch": "true", "resourceVersion": self.left["version"]}
        url, headers = self._place(path)
        async with self.http.get(url, params=query, headers=headers) as answer:
            sys.stdout.write(READY)
            sys.stdout.flush()
            async for line in answer.content:
                yield json.loads(line)


async def bare(kubeconfig: str, left: Document) -> None:
    """Make the requests, and print the milliseconds of CPU that each job took."""
    configuration = Configuration()
    load_kube_config(kubeconfig, client_configuration=configuration)  # type: ignore[no-untyped-call]
    async with session_of(configuration) as http:
        began = time.process_time()
        await Bare(configuration, http, left).do_all()
        print(1000 * (time.process_time() - began) / JOBS)


def take(kubeconfig: Path, client: ApiClient, left: Path) -> float:
    """Create the jobs for a program that makes their requests; return what it prints."""
    command = [sys.executable, "-m", "benchmarks.floor", "--bare", str(kubeconfig), str(left)]
    jobs = ApiObjects(client, NAMESPACE, "ensojobs")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        output = cast("IO[str]", program.stdout)
        for _ in (ENSOJOBS, PODS):
            if (said := output.readline()) != READY:
                raise RuntimeError(f"the program that makes the requests said {said!r}")
        for number in range(1, JOBS + 1):
            jobs.create(document_of(number))
        return float(output.read())


def compare() -> None:
    """Measure both, in a cluster of its own."""
    own = "operator"
    with (
        tempfile.TemporaryDirectory() as name,
        simulated_cluster(Path(name), records(), [NAMESPACE, own]) as simulation,
        new_client_from_config(  # type: ignore[no-untyped-call]
            str(simulation.cluster.kubeconfig)
        ) as client,
    ):
        client.user_agent = OURS
        job, left = run_one(simulation, client, Path(name)), Path(name) / "left.json"
        written = {
            "events": job.events,
            "plan": job.plan,
            "pod": gated(job.pod),
            "status": job.document["status"],
            "version": ApiObjects(client, NAMESPACE, "ensojobs").version(),
        }
        left.write_text(json.dumps(written))
        checkout = EnsoJobs(Path(__file__).resolve().parents[1])
        used = Measure(simulation, client, Path(name)).of(checkout, JOBS, own)
        took = take(simulation.kubeconfig, client, left)
        print(f"{JOBS:6} jobs, their requests alone: {took:.1f} ms of CPU for each")
        print(f"{used / took:10.2f}  the operator / their requests alone (at most {AT_MOST:g})")
    if used > AT_MOST * took:
        sys.exit(1)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--bare"]:
        asyncio.run(bare(sys.argv[2], json.loads(Path(sys.argv[3]).read_text())))
    else:
        compare()
