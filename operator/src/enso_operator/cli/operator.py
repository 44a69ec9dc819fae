"""``enso operator``: runs the operator, which watches EnsoJobs and runs their scripts."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Coroutine, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_settings import CliApp, SettingsError

from enso_operator.blocking import MOST_AT_ONCE
from enso_operator.bootstrap import operate
from enso_operator.cli.display import refuse
from enso_operator.controller.batching_loop import batching_loop
from enso_operator.kube.client import ApiObjects, uid_of_namespace
from enso_operator.kube.connection import NotConnected, check_namespace, configured, explained
from enso_operator.kube.ensojob import KIND
from enso_operator.kube.loop_client import LoopClient
from enso_operator.observability import log_format
from enso_operator.serving import server
from enso_operator.settings import OperatorSettings, sentences
from job_execution_framework.domain.errors import EnsoError

STOPPED = 0
"""Exit codes."""
EXIT_SECONDS = 1.0
"""How long to wait for open requests when the operator stops."""
NO_SESSIONS = (
    "there is nowhere to run scripts: --sessions=pods (or ENSO_SESSIONS=pods) runs them in Pods, "
    "and --sessions=local as processes of this machine, under this user, whoever wrote the EnsoJob"
)
NO_RECORDS_IMAGE = (
    "sessions in Pods need --records-image (or ENSO_RECORDS_IMAGE): the image that this operator "
    "runs from, which brings records out of each Pod"
)
LOCAL_WARNING = (
    "enso: warning: sessions are local: whoever may create an EnsoJob runs programs on this "
    "machine, as this user; use it for development"
)


def operator(arguments: Sequence[str]) -> int:
    """Run the operator until SIGTERM or SIGINT; return the exit code."""
    try:
        settings = CliApp.run(OperatorSettings, cli_args=[*arguments])
    except (ValidationError, SettingsError) as error:
        return refuse(sentences(error))
    if settings.sessions is None:
        return refuse(NO_SESSIONS)
    if settings.sessions == "pods" and not settings.records_image:
        return refuse(NO_RECORDS_IMAGE)
    server.raise_file_limit()
    log_format.configure(settings.log_format, settings.log_level)
    if settings.sessions == "local":
        print(LOCAL_WARNING, file=sys.stderr)
    try:
        client, cluster = _cluster(settings)
        listener = _listen(settings.health_host, settings.health_port)
        with asyncio.Runner(loop_factory=batching_loop) as runner:
            runner.run(_exit_after(operate(client, cluster, settings, listener)))
    except EnsoError as error:
        return refuse(str(error))
    return STOPPED


async def _exit_after(operation: Coroutine[Any, Any, None]) -> None:
    """Run the operator, then exit, even if requests are still open.

    A request may take longer than the grace period, and is waited for where it has been sent.
    """
    await operation
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    if tasks and (await asyncio.wait(tasks, timeout=EXIT_SECONDS))[1]:
        os._exit(STOPPED)  # the next operator writes what this one has not


def _cluster(settings: OperatorSettings) -> tuple[LoopClient, str]:
    """Return a client, and for local sessions the cluster's unique id. Raises NotConnected."""
    for namespace in settings.namespaces:
        check_namespace(namespace)
    configuration, _ = configured(MOST_AT_ONCE)
    client = LoopClient(configuration)
    with explained(client):
        for namespace in settings.namespaces or [""]:
            ApiObjects(client, namespace, KIND).check()
        is_local = settings.sessions == "local"
        return client, uid_of_namespace(client, "kube-system") if is_local else ""


def _listen(host: str, port: int) -> socket.socket:
    try:
        return server.listen(host, port)
    except (OSError, OverflowError, UnicodeError) as error:
        raise NotConnected(
            f"cannot serve /healthz at {host}:{port} ({error}): choose another --health-port"
        ) from error
