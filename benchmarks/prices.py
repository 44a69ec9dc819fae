"""What each request of a job costs the API server and etcd: one kind of request at a time.

``python -m benchmarks.prices`` lets an operator run one job on simulated nodes, and then asks for
the same again and again while nobody else asks for anything. Only the scheduler and the simulated
nodes watch meanwhile. What a job costs in ``benchmarks.many`` beyond the sum is the other watches.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kubernetes.client import ApiClient
from kubernetes.config import new_client_from_config  # pyright: ignore[reportUnknownVariableType]

from benchmarks.engine import EnsoJobs, document_of, records
from benchmarks.many import FOREIGN, OURS
from benchmarks.simulated import Simulation, simulated_cluster
from enso_operator.kube.client import ApiObjects, ask, request
from enso_operator.kube.connection import configuration_of
from enso_operator.sessions.pods import names
from enso_operator.sessions.pods.logs import PodLogs
from enso_operator.sessions.pods.pod_api import PodApi
from tests.support.eventually import until
from tests.support.resources import Document
from tests.support.running import cpu_seconds

TIMES = 200
"""How often each is asked for: CPU is counted in hundredths of a second."""
IDLE_SECONDS = 10.0
NAMESPACE = "priced"
OF_THE_SERVER = ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields")
Cpu = dict[str, float]
"""Seconds, or milliseconds, of each process."""


@dataclass
class Meter:
    """Counts what processes use, without what they use while nobody asks for anything."""

    pids: dict[str, int]
    _idle: Cpu = field(default_factory=dict[str, float])

    def rest(self) -> None:
        """Look at what they use at rest."""
        before = self._used()
        time.sleep(IDLE_SECONDS)
        self._idle = {
            part: (used - before[part]) / IDLE_SECONDS for part, used in self._used().items()
        }

    @contextmanager
    def counting(self, costs: Cpu) -> Generator[None]:
        """Put into `costs` the milliseconds that each process used for one of TIMES."""
        before, began = self._used(), time.monotonic()
        yield
        took = time.monotonic() - began
        for part, used in self._used().items():
            own = self._idle.get(part, 0.0) * took
            costs[part] = 1000 * max(0.0, used - before[part] - own) / TIMES

    def _used(self) -> Cpu:
        return {part: cpu_seconds(pid) for part, pid in self.pids.items()}


@dataclass(frozen=True)
class Job:
    """A job that an operator has run, as it was left."""

    document: Document
    events: list[Document]
    plan: Document
    pod: Document
    asked: Counter[tuple[str, str]]
    """The operator's requests, by verb and resource."""


def run_one(simulation: Simulation, client: ApiClient, folder: Path) -> Job:
    """Have an operator of this checkout run a job; return what it left."""
    cluster, ours = simulation.cluster, EnsoJobs(Path(__file__).resolve().parents[1])
    jobs = ApiObjects(client, NAMESPACE, "ensojobs")
    name = document_of(0)["metadata"]["name"]
    with ours.running(client, simulation.kubeconfig, NAMESPACE, folder / "operator.log"):
        mark = cluster.audit.mark()
        jobs.create(document_of(0))
        until(lambda: "completionTime" in jobs.get(name)["status"])
        time.sleep(1)  # what it has begun ends
    return Job(
        jobs.get(name),
        [*jobs.beside("events", "v1").each(fields="involvedObject.kind=EnsoJob")],
        next(iter(jobs.beside("configmaps", "v1").each(labels=names.JOB_UID_LABEL))),
        next(iter(jobs.beside("pods", "v1").each())),
        Counter(
            (asked.verb, asked.resource)
            for asked in cluster.audit.since(mark)
            if asked.namespace == NAMESPACE and not asked.user_agent.startswith(FOREIGN)
        ),
    )


def again(document: Document, number: int) -> Document:
    """Return a document as its author wrote it, with another name."""
    kept = {key: value for key, value in document["metadata"].items() if key not in OF_THE_SERVER}
    return document | {"metadata": kept | {"name": f"{kept['name']}-{number}"}}


def gated(pod: Document) -> Document:
    """Return the Pod as the operator creates it: not scheduled, and not to be yet."""
    spec = {key: value for key, value in pod["spec"].items() if key != "nodeName"}
    return pod | {"spec": spec | {"schedulingGates": [{"name": names.GATE}]}, "status": {}}


class Prices:
    """Asks for each kind of request, and prints what it costs."""

    def __init__(self, meter: Meter, client: ApiClient, job: Job) -> None:
        self._meter, self._client, self._job = meter, client, job
        self._objects = ApiObjects(client, NAMESPACE, "ensojobs")
        self._pods = PodApi(client, NAMESPACE)
        self._sum: Cpu = dict.fromkeys(meter.pids, 0.0)

    def tell(self) -> None:
        """Print a line for each kind, in the order in which a job has them, and their sum."""
        print(f"a job{''.join(f'{part:>16}' for part in self._meter.pids)}  ms of CPU for each")
        events, versions = self._job.events, list[str]()
        self._price("create ensojobs", lambda number: versions.append(self._create_job(number)))
        self._price(
            "create events",
            lambda number: self._create("events", events[number % len(events)], number),
        )
        self._price(
            "create configmaps", lambda number: self._create("configmaps", self._job.plan, number)
        )
        self._price("create pods", lambda number: self._pods.create(self._pod(number)))
        self._price(
            "patch ensojobs/status",
            lambda number: self._objects.patch_status(
                self._name(number), versions[number], self._job.document["status"]
            ),
        )
        self._price("get pods", lambda number: self._pods.get(self._pod_name(number)))
        self._price("patch pods", self._annotate)
        self._price_of_running()
        self._price("get pods/log", self._follow)
        self._line("", self._sum, "all of it")
        kept: Cpu = {}
        with self._meter.counting(kept):
            for number in range(TIMES):
                self._read_log(number)
        self._line("", kept, "get pods/log over a connection that is there: not in the sum")

    def _price(self, what: str, asking: Callable[[int], object]) -> None:
        costs: Cpu = {}
        with self._meter.counting(costs):
            for number in range(TIMES):
                asking(number)
        verb, resource = what.split(" ")
        # Whoever created the job is not the operator.
        self._count(self._job.asked[verb, resource] or 1, costs, what)

    def _price_of_running(self) -> None:
        """Release all Pods, and wait until they run; each patch has its price already."""
        pods = self._objects.beside("pods", "v1")
        costs, patches = dict[str, float](), dict[str, float]()
        uids = [
            str((self._pods.get(self._pod_name(n)) or {})["metadata"]["uid"]) for n in range(TIMES)
        ]
        with self._meter.counting(patches):
            for number in range(TIMES):
                self._annotate(number)
        with self._meter.counting(costs):
            for number, uid in enumerate(uids):
                self._pods.release(self._pod_name(number), uid)
            until(lambda: next(pods.each(fields="status.phase=Pending"), None) is None)
        rest = {part: max(0.0, used - patches[part]) for part, used in costs.items()}
        self._count(1, rest, "scheduler and kubelet write that it runs")

    def _count(self, times: int, costs: Cpu, what: str) -> None:
        self._line(str(times), costs, what)
        for part, used in costs.items():
            self._sum[part] += times * used

    def _line(self, times: str, costs: Cpu, what: str) -> None:
        told = "".join(f"{used:16.2f}" for used in costs.values())
        print(f"{times:>5}{told}  {what}", flush=True)

    def _name(self, number: int) -> str:
        return f"{self._job.document['metadata']['name']}-{number}"

    def _pod_name(self, number: int) -> str:
        return f"{self._job.pod['metadata']['name']}-{number}"

    def _create_job(self, number: int) -> str:
        bare = {key: value for key, value in self._job.document.items() if key != "status"}
        return str(self._objects.create(again(bare, number))["metadata"]["resourceVersion"])

    def _create(self, plural: str, document: Document, number: int) -> None:
        self._objects.beside(plural, "v1").create(again(document, number))

    def _pod(self, number: int) -> Document:
        return gated(again(self._job.pod, number))

    def _path(self, number: int) -> str:
        return f"/api/v1/namespaces/{NAMESPACE}/pods/{self._pod_name(number)}"

    def _annotate(self, number: int) -> None:
        """Patch a Pod in a way that nobody does anything about."""
        patch = {"metadata": {"annotations": {"benchmark": str(time.monotonic())}}}
        request(self._client, "PATCH", self._path(number), patch)

    def _read_log(self, number: int) -> None:
        query = {"container": names.RECORDS}
        ask(self._client, "GET", f"{self._path(number)}/log", query=query, accept="*/*")

    def _follow(self, number: int) -> None:
        """Follow a log over a new connection, as the operator does."""

        async def follow() -> None:
            logs = PodLogs(configuration_of(self._client))
            lines = logs.follow(NAMESPACE, self._pod_name(number), names.RECORDS)
            async with aclosing(lines) as following:
                await anext(following)
            await logs.close()

        asyncio.run(follow())


def main() -> None:
    """Measure all of them, in a cluster of its own."""
    with (
        tempfile.TemporaryDirectory() as name,
        simulated_cluster(Path(name), records(), [NAMESPACE]) as simulation,
        new_client_from_config(  # type: ignore[no-untyped-call]
            str(simulation.cluster.kubeconfig)
        ) as client,
    ):
        client.user_agent = OURS
        job = run_one(simulation, client, Path(name))
        meter = Meter(simulation.pids() | {"this program": os.getpid()})
        meter.rest()
        Prices(meter, client, job).tell()
        print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
