"""Puts the operator together, runs it until it is told to stop, and takes it apart."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Sequence

import kopf
from kubernetes.client import ApiClient, Configuration

from enso_operator.actor import Listener
from enso_operator.adapters.kube import get_uid
from enso_operator.adapters.local_machine import LocalMachine
from enso_operator.adapters.recorder import Recorder
from enso_operator.adapters.unit_of_work import Seen
from enso_operator.handlers import handlers, watching
from enso_operator.reconciler import Reconciler
from enso_operator.settings import OperatorSettings
from enso_operator.sweeper import Sweeper
from enso_operator.threads import in_thread
from job_execution_framework.domain.events import Event
from job_execution_framework.domain.job import Job
from job_execution_framework.service_layer.clock import SystemClock

STOP_SECONDS = 3.0
"""How long commits that are under way may take when the operator stops."""
_log = logging.getLogger(__name__)


async def operate(client: ApiClient, settings: OperatorSettings) -> None:
    """Run until SIGTERM or SIGINT. Sessions go on without it."""
    clock, stop = SystemClock(), asyncio.Event()
    cluster = await in_thread(get_uid, client, "kube-system")
    reconciler = Reconciler(
        client,
        LocalMachine(settings.state_dir / cluster),
        Recorder(client, f"{socket.gethostname()}-{os.getpid()}"),
        clock,
        _listener,
        settings.namespaces,
    )
    sweeper = Sweeper(reconciler, clock, settings.resync_seconds)
    watch = _Watch(reconciler, client.configuration, settings.namespaces)
    ours = {asyncio.create_task(sweeper.run()), asyncio.create_task(stop.wait())}
    await watch.ready(stop)
    await asyncio.wait({watch.task, *ours}, return_when=asyncio.FIRST_COMPLETED)
    await reconciler.stop(STOP_SECONDS)
    for task in ours:
        task.cancel()
    await watch.stop(STOP_SECONDS)
    for task in {watch.task, *ours}:
        if task.done() and not task.cancelled() and (error := task.exception()):
            raise error


class _Watch:
    """kopf, which watches."""

    def __init__(
        self, reconciler: Reconciler, configuration: Configuration, namespaces: Sequence[str]
    ) -> None:
        self._ready, self._stop = asyncio.Event(), asyncio.Event()
        self.task = asyncio.create_task(
            kopf.operator(
                registry=handlers(reconciler, configuration),
                settings=watching(),
                clusterwide=not namespaces,
                namespaces=namespaces,
                ready_flag=self._ready,
                stop_flag=self._stop,
            )
        )

    async def ready(self, stop: asyncio.Event) -> None:
        """Return when it watches, and signals set `stop`: kopf would stop before the actors."""
        waiting = asyncio.create_task(self._ready.wait())
        await asyncio.wait({waiting, self.task}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)

    async def stop(self, patience: float) -> None:
        """Stop watching. It waits for all tasks that are younger than it is."""
        self._stop.set()
        await asyncio.wait({self.task}, timeout=patience)


def _listener(seen: Seen) -> Listener:
    def told(job: Job, events: Sequence[Event]) -> None:
        for event in events:
            _log.info("%s/%s: %s", seen.namespace, job.id, event)

    return told
