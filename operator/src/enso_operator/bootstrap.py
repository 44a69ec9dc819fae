"""Puts the operator together, runs it until it is told to stop, and takes it apart."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Sequence

from kubernetes.client import ApiClient

from enso_operator.actor import Listener
from enso_operator.adapters.kube import get_uid
from enso_operator.adapters.local_machine import LocalMachine
from enso_operator.adapters.recorder import Recorder
from enso_operator.adapters.unit_of_work import Seen
from enso_operator.handlers import handlers
from enso_operator.reconciler import Reconciler
from enso_operator.settings import OperatorSettings
from enso_operator.sweeper import Sweeper
from enso_operator.threads import in_thread
from enso_operator.watch import Watch
from job_execution_framework.domain.events import Event
from job_execution_framework.domain.job import Job
from job_execution_framework.service_layer.clock import SystemClock

STOP_SECONDS = 3.0
"""How long commits that are under way may take when the operator stops."""
_log = logging.getLogger(__name__)


async def operate(client: ApiClient, settings: OperatorSettings) -> None:
    """Run until SIGTERM or SIGINT. Sessions go on without it."""
    clock, stop = SystemClock(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
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
    watch = Watch(handlers(reconciler, client.configuration), settings.namespaces)
    tasks = [asyncio.create_task(each) for each in (stop.wait(), watch.run(), sweeper.run())]
    done, running = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in running:
        task.cancel()
    await reconciler.stop(STOP_SECONDS)
    for task in done:
        task.result()  # one that broke is no silent death


def _listener(seen: Seen) -> Listener:
    def told(job: Job, events: Sequence[Event]) -> None:
        for event in events:
            _log.info("%s/%s: %s", seen.namespace, job.id, event)

    return told
