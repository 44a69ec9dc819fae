"""``enso serve``: runs the HTTP API, over a cluster or with jobs in memory."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
import socket
import sys
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from enso_operator.cli.display import refuse
from enso_operator.http_api.app import create_app
from enso_operator.http_api.middleware import LOOPBACK
from enso_operator.http_api.port import Jobs
from enso_operator.serving.server import (
    HIGHEST_PORT,
    Complaints,
    listen,
    raise_file_limit,
    readable,
    server_of,
)
from job_execution_framework.domain.errors import EnsoError, InvalidJob

STOPPED = 0
"""Exit codes."""
MOST_CONNECTIONS = 200
"""If there are more, the connection that has been idle for longest is closed."""
LOOPBACK_HOSTS = LOOPBACK | {"::1"}


@dataclass(frozen=True)
class Served:
    """Which jobs are served."""

    is_embedded: bool
    """Whether they are in memory, and run on this machine."""
    namespace: str
    """The namespace of those of a cluster; "" for its default."""
    templates: Path | None
    """A folder with templates, for those in memory."""


def serve(served: Served, *, host: str, port: int) -> int:
    """Serve until SIGTERM, SIGINT or SIGHUP; return the exit code."""
    if served.is_embedded and served.namespace:
        return refuse("jobs in memory have no namespace: remove --namespace, or --embedded")
    raise_file_limit()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        jobs, place = (
            _in_memory(served.templates) if served.is_embedded else _in_cluster(served.namespace)
        )
        listener = listen(host, port)
    except EnsoError as error:
        return refuse(str(error))
    except (OSError, OverflowError, UnicodeError) as error:
        return refuse(_listen_error(host, port, error))
    if host not in LOOPBACK_HOSTS:
        print(
            f"enso: warning: {host} can be reached from other machines, and there is no "
            f"authentication: whoever reaches it may run the scripts of the library {place}",
            file=sys.stderr,
        )
    try:
        asyncio.run(_serve(jobs, listener, LOOPBACK if host in LOOPBACK_HOSTS else None))
    except OSError as error:
        return refuse(f"jobs cannot be kept in the folder for temporary files: {error}")
    return STOPPED


# Each of these functions imports only what it needs: Kubernetes' client takes a second.


def _in_memory(folder: Path | None) -> tuple[AbstractAsyncContextManager[Jobs], str]:
    from enso_operator.http_api.memory_backend import EmbeddedJobs  # noqa: PLC0415
    from enso_operator.manifests.load import ManifestError  # noqa: PLC0415
    from enso_operator.manifests.template_folder import TemplateFolder  # noqa: PLC0415

    templates = TemplateFolder(folder)
    try:
        templates.all()
    except ManifestError as error:
        raise InvalidJob(str(error)) from error
    return EmbeddedJobs(templates=templates), "here"


def _in_cluster(namespace: str) -> tuple[AbstractAsyncContextManager[Jobs], str]:
    from enso_operator.blocking import MOST_AT_ONCE  # noqa: PLC0415
    from enso_operator.http_api.cluster_backend import ClusterJobs  # noqa: PLC0415
    from enso_operator.kube.connection import connect  # noqa: PLC0415

    objects = connect(namespace, MOST_AT_ONCE)
    return nullcontext(ClusterJobs(objects)), f"in namespace {objects.namespace}"


async def _serve(
    jobs: AbstractAsyncContextManager[Jobs],
    listener: socket.socket,
    hosts: frozenset[str] | None,
) -> None:
    async with jobs as backend:
        server = server_of(create_app(backend, hosts), MOST_CONNECTIONS)
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(Complaints())
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, setattr, server, "should_exit", True)  # noqa: FBT003
        url = f"http://{readable(listener)}"
        print(f"enso: serving at {url}, its documentation at {url}/docs", flush=True)
        await server.serve(sockets=[listener])


def _listen_error(host: str, port: int, error: Exception) -> str:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is taken: end what listens there, or choose another --port"
    if isinstance(error, socket.gaierror):
        return f"there is no host {host!r}: {error.strerror}"
    if isinstance(error, OSError) and error.errno:
        return f"cannot listen at {host}:{port}: {os.strerror(error.errno)}"
    return f"cannot listen at {host}:{port}: a port is a number from 0 to {HIGHEST_PORT}"
