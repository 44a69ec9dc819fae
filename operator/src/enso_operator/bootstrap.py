"""Puts the operator together, runs it until it is told to stop, and takes it apart."""

from __future__ import annotations

import asyncio
import gc
import logging
import math
import os
import signal
import socket
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import uuid4

from enso_operator.controller import malloc
from enso_operator.controller.action_dispatcher import ActionDispatcher
from enso_operator.controller.action_processor import ActionProcessor
from enso_operator.controller.batching_loop import schedule_as_batch
from enso_operator.controller.ensojob_actor import EnsoJobActor
from enso_operator.controller.event_publisher import EventPublisher
from enso_operator.controller.finished_watch import finished_watch
from enso_operator.controller.handlers import handlers
from enso_operator.controller.leader_election import GIVE_BACK_SECONDS, Alone, Leadership
from enso_operator.controller.list_watch import ListWatch
from enso_operator.controller.pending_actions import PendingActions
from enso_operator.controller.planner import EnsoJobPlanner
from enso_operator.controller.pod_watch import pod_watch
from enso_operator.controller.reconciler import Reconciler
from enso_operator.controller.resync import Resync, Watched
from enso_operator.controller.watch import Watch
from enso_operator.coordinator.progress_budget import ProgressBudget
from enso_operator.coordinator.sessions import Sessions
from enso_operator.kube.client import ApiObjects
from enso_operator.kube.connection import configuration_of, own_namespace
from enso_operator.kube.ensojob import KIND, EnsoJobObject
from enso_operator.kube.event_recorder import Recorder
from enso_operator.kube.finished import watched_jobs
from enso_operator.kube.lease import Lease
from enso_operator.kube.library import SCRIPTS, EnsoScriptLibrary
from enso_operator.kube.loop_client import LoopClient
from enso_operator.kube.unit_of_work import KubernetesJobUnitOfWork
from enso_operator.observability import log_format
from enso_operator.observability.health import Check, create_health_app, serve_health
from enso_operator.observability.metrics import Metrics
from enso_operator.observability.traced_ensojob import traced_ensojob
from enso_operator.observability.tracing import JobTrace, Tracing, tracing_of
from enso_operator.serving.server import Complaints, readable
from enso_operator.sessions.local.backend import LocalSessionBackend
from enso_operator.sessions.local.state_folders import state_directory
from enso_operator.sessions.pods.backend import PodSessionBackend
from enso_operator.sessions.pods.logs import PodLogs, buffer_little_of_tls
from enso_operator.sessions.pods.sessions import PodSessions
from enso_operator.settings import OperatorSettings
from job_execution_framework.domain.events import Event
from job_execution_framework.domain.job import Job
from job_execution_framework.service_layer.clock import Clock, SystemClock
from job_execution_framework.service_layer.unit_of_work import Listener

SERVICE = "enso-operator"
"""Its name in traces."""
YOUNG_OBJECTS = 10_000
"""So many new ones until Python looks for garbage; by itself it does after 700, in each request."""
STOP_SECONDS = 2.0
"""How long commits that are under way may take when the operator stops."""
_log = logging.getLogger(__name__)
_transitions = logging.getLogger("enso_operator.jobs")


@dataclass(frozen=True)
class Checks:
    """What the probes look at. Who works adds to it, and takes that away again."""

    liveness: dict[str, Check]
    readiness: dict[str, Check]


async def operate(
    client: LoopClient, cluster: str, settings: OperatorSettings, listener: socket.socket
) -> None:
    """Run until SIGTERM or SIGINT; sessions go on without it.

    `cluster` tells this cluster from others where sessions are local, and probes are served at
    `listener`.
    """
    malloc.have_few_arenas()
    if settings.sessions == "pods":  # local ones, which run users' scripts, would inherit it
        schedule_as_batch()
    gc.freeze()  # what was imported stays: whoever looks for garbage passes over it
    gc.set_threshold(YOUNG_OBJECTS)
    metrics, stop = Metrics(), asyncio.Event()
    asyncio.get_running_loop().set_exception_handler(Complaints())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    leadership = _leadership(client, settings, metrics)
    checks = Checks({}, {"lease": leadership.is_away})
    _log.info("probes and metrics are served at http://%s", readable(listener))
    tracing = tracing_of(os.environ, SERVICE, _log.warning)
    try:
        await _until_one_ends(
            2 * STOP_SECONDS + GIVE_BACK_SECONDS,
            stop.wait(),
            leadership.run(lambda: _work(client, cluster, settings, metrics, checks, tracing)),
            serve_health(create_health_app(checks, metrics), listener),
        )
    finally:
        await asyncio.to_thread(tracing.close)


def _leadership(
    client: LoopClient, settings: OperatorSettings, metrics: Metrics
) -> Alone | Leadership:
    if not settings.leader_elect:
        return Alone(metrics.leads)
    lease = Lease(client, settings.lease_namespace or own_namespace(), settings.lease_name)
    return Leadership(lease, f"{socket.gethostname()}_{uuid4()}", metrics.leads)


async def _work(
    client: LoopClient,
    cluster: str,
    settings: OperatorSettings,
    metrics: Metrics,
    checks: Checks,
    tracing: Tracing,
) -> None:
    """Look after EnsoJobs until cancelled; begin with nothing that an earlier time has left."""
    clock = SystemClock()
    configuration = configuration_of(client)
    pods = _pods(client, settings, clock) if settings.sessions == "pods" else None
    pending = PendingActions()
    recorder = Recorder(client, f"{socket.gethostname()}-{os.getpid()}")
    reconciler = Reconciler(
        lambda namespace: ApiObjects(client, namespace, KIND),
        pods
        or LocalSessionBackend((settings.state_dir or state_directory() / "operator") / cluster),
        ActorFactory(client, recorder, clock, metrics, pending, settings, tracing).actor_of,
        clock,
        metrics,
        pending,
        settings.namespaces,
    )
    dispatcher = ActionDispatcher(pending, reconciler, clock)
    watched: Mapping[str, Watched] = {"EnsoJobs": reconciler, "EnsoActions": dispatcher}
    resync = Resync(watched, clock, settings.resync_seconds)
    metrics.live_jobs_from(lambda: reconciler.live)
    metrics.queued_starts_from(lambda: reconciler.queued_starts)
    metrics.waits_from(reconciler.waits)
    metrics.watch_age_from(resync.watch_age)
    checks.liveness["watch"], checks.readiness["listing"] = resync.is_blind, resync.is_away
    registry = handlers(reconciler.on_event, pending.on_event, configuration)
    jobs = reconciler.objects(settings.namespaces[0] if settings.namespaces else "")
    everything = ApiObjects(client, "", KIND)
    watches: list[Watch | ListWatch] = [
        Watch(registry, settings.namespaces, partial(watched_jobs, jobs)),
        finished_watch(everything, settings.namespaces, reconciler.on_ended, reconciler.on_change),
        *([pod_watch(client, settings.namespaces, pods.on_event)] if pods else []),
    ]
    try:
        await _until_one_ends(
            STOP_SECONDS + 1,
            *(watch.run() for watch in watches),
            *(resync.run(), _until_cancelled(reconciler, pods, client)),
        )
    finally:
        del checks.liveness["watch"], checks.readiness["listing"]
        metrics.waits_from(tuple)
        metrics.watch_age_from(lambda: math.nan)


async def _until_cancelled(
    reconciler: Reconciler, pods: PodSessionBackend | None, client: LoopClient
) -> None:
    """Stop the actors when the watch and the sweep are stopped, not after them."""
    try:
        await asyncio.Event().wait()
    finally:
        await reconciler.stop(STOP_SECONDS)
        if pods:
            await pods.close()
        await client.close_connections()


async def _until_one_ends(patience: float, *works: Coroutine[Any, Any, object]) -> None:
    """Run all, and end the others with the first that ends; wait so long for their end."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=patience)
    for task in tasks:
        if task.done() and not task.cancelled():
            task.result()  # one that broke is no silent death


def _pods(client: LoopClient, settings: OperatorSettings, clock: Clock) -> PodSessionBackend:
    buffer_little_of_tls()
    return PodSessionBackend(client, PodLogs(configuration_of(client)), settings, clock)


@dataclass(frozen=True)
class ActorFactory:
    """Makes the actors of EnsoJobs, which read and write at the API server, of what all share."""

    client: LoopClient
    recorder: Recorder
    clock: Clock
    metrics: Metrics
    pending: PendingActions
    settings: OperatorSettings
    tracing: Tracing
    progress_budget: ProgressBudget = field(default_factory=ProgressBudget)

    def actor_of(self, ensojob: EnsoJobObject, sessions: Sessions) -> EnsoJobActor:
        """Return an actor for an EnsoJob."""
        jobs = ApiObjects(self.client, ensojob.namespace, KIND)
        library = EnsoScriptLibrary(jobs.beside(SCRIPTS))
        in_pods = self.settings.sessions == "pods"
        trace = self.tracing.of(traced_ensojob(ensojob, in_pods=in_pods))
        listener = _listener(ensojob, self.metrics, trace)
        may_change_code = self.settings.allow_code_changes
        return EnsoJobActor(
            job_uow=KubernetesJobUnitOfWork(jobs),
            sessions=sessions,
            planner=EnsoJobPlanner(library, sessions, self.clock, trace.traceparent),
            clock=self.clock,
            publisher=EventPublisher(ensojob, self.recorder, self.metrics, self.clock, listener),
            action_processor=ActionProcessor(
                ensojob.key, self.pending, jobs, self.clock, may_change_code, library
            ),
            progress_budget=self.progress_budget,
            on_loaded=sessions.use if isinstance(sessions, PodSessions) else None,
        )


def _listener(ensojob: EnsoJobObject, metrics: Metrics, trace: JobTrace) -> Listener:
    job_of = ensojob.reference  # it lives as long as the job: the object is not to be held by it

    def told(job: Job, events: Sequence[Event]) -> None:
        metrics.committed(job, events)
        trace.committed(job, events)
        log_format.transitions(_transitions, job_of.namespace, job, events, uid=job_of.uid)

    return told
