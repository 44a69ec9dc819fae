"""``enso serve``: runs the HTTP API, over a cluster or with jobs in memory."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from enso_operator.cli.display import refuse
from enso_operator.http_api.app import Reach, create_app
from enso_operator.http_api.auth.forwarded import Network
from enso_operator.http_api.auth.viewer import Everybody, Viewers
from enso_operator.http_api.middleware import LOOPBACK
from enso_operator.serving.plain_log import PlainFormatter
from enso_operator.serving.server import (
    HIGHEST_PORT,
    Complaints,
    is_loopback,
    listen,
    raise_file_limit,
    readable,
    server_of,
)
from job_execution_framework.domain.errors import EnsoError, InvalidJob

STOPPED = 0
"""Exit codes."""
SERVICE = "enso-serve"
"""Its name in traces."""
MOST_CONNECTIONS = 1000
"""If there are more, the connection that has been idle for longest is closed."""
SHARE_OF_FILES = 2 / 3
"""How many of the files that may be open are connections, where that is less."""


@dataclass(frozen=True)
class Served:
    """Which jobs are served, and to whom."""

    is_embedded: bool
    """Whether they are in memory, and run on this machine."""
    namespace: str
    """The namespace of those of a cluster; "" for its default."""
    templates: Path | None
    """A folder with templates, for those in memory."""
    auth: Literal["none", "kubernetes"] = "none"
    """Whose rights decide: the server's own, or the caller's, by their token."""
    allows_anonymous: bool = False
    """Whether with "none" others than this machine may connect."""
    trusted_proxies: tuple[Network, ...] = ()
    """Proxies that are believed when they say how a browser reached them."""


def serve(served: Served, *, host: str, port: int) -> int:
    """Serve until SIGTERM, SIGINT or SIGHUP; return the exit code."""
    if wrong := _contradiction(served):
        return refuse(wrong)
    connections = min(MOST_CONNECTIONS, int(raise_file_limit() * SHARE_OF_FILES))
    handler = logging.StreamHandler()
    handler.setFormatter(PlainFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    try:
        viewers, place = _in_memory(served.templates) if served.is_embedded else _in_cluster(served)
        listener = listen(host, port)
    except EnsoError as error:
        return refuse(str(error))
    except (OSError, OverflowError, UnicodeError) as error:
        return refuse(_listen_error(host, port, error))
    is_open = served.auth == "none" and not is_loopback(listener)
    if is_open and not served.allows_anonymous:
        listener.close()
        return refuse(_reachable(host, place, has_cluster=not served.is_embedded))
    if is_open:
        print(
            f"enso: warning: {host} can be reached from other machines, and there is no "
            f"authentication: whoever reaches it may run the scripts of the library {place}",
            file=sys.stderr,
        )
    hosts = LOOPBACK | {host} if served.auth == "none" and not is_open else None
    reach = Reach(hosts, served.trusted_proxies)
    try:
        asyncio.run(_serve(viewers, listener, reach, connections))
    except OSError as error:
        return refuse(f"jobs cannot be kept in the folder for temporary files: {error}")
    return STOPPED


def _contradiction(served: Served) -> str:
    if served.is_embedded and served.namespace:
        return "jobs in memory have no namespace: remove --namespace, or --embedded"
    if served.is_embedded and served.auth == "kubernetes":
        return (
            "jobs in memory have no cluster that could say who may do what: remove "
            "--auth=kubernetes, or --embedded"
        )
    if served.allows_anonymous and served.auth == "kubernetes":
        return "--allow-anonymous is for --auth=none: remove one of them"
    return ""


def _reachable(host: str, place: str, *, has_cluster: bool) -> str:
    others = "--auth=kubernetes, with which each caller's own rights decide, or " * has_cluster
    return (
        f"{host} can be reached from other machines, and whoever reaches it could run the scripts "
        f"of the library {place}: add {others}--allow-anonymous, where something else keeps out "
        "who must not"
    )


# Each of these functions imports only what it needs: Kubernetes' client takes a second.


def _in_memory(folder: Path | None) -> tuple[AbstractAsyncContextManager[Viewers], str]:
    from enso_operator.http_api.memory_backend import EmbeddedJobs  # noqa: PLC0415
    from enso_operator.manifests.load import ManifestError  # noqa: PLC0415
    from enso_operator.manifests.template_folder import TemplateFolder  # noqa: PLC0415
    from enso_operator.observability.tracing import tracing_of  # noqa: PLC0415

    templates = TemplateFolder(folder)
    try:
        broken = templates.read().broken
    except ManifestError as error:
        raise InvalidJob(str(error)) from error
    for why in broken.values():
        raise InvalidJob(why)
    tracing = tracing_of(os.environ, SERVICE, logging.getLogger(__name__).warning)

    @asynccontextmanager
    async def everybody() -> AsyncGenerator[Viewers]:
        async with EmbeddedJobs(templates=templates, tracing=tracing) as jobs:
            yield Everybody(jobs)

    return everybody(), "here"


def _in_cluster(served: Served) -> tuple[AbstractAsyncContextManager[Viewers], str]:
    from enso_operator.blocking import MOST_AT_ONCE  # noqa: PLC0415
    from enso_operator.http_api.auth.callers import Callers  # noqa: PLC0415
    from enso_operator.http_api.cluster_backend import ClusterJobs  # noqa: PLC0415
    from enso_operator.kube.callers import connect_without_credentials  # noqa: PLC0415
    from enso_operator.kube.connection import connect  # noqa: PLC0415
    from enso_operator.kube.streams import streams_of  # noqa: PLC0415

    asks = served.auth == "kubernetes"
    objects = (connect_without_credentials if asks else connect)(served.namespace, MOST_AT_ONCE)
    if asks:
        return aclosing(Callers(objects, time.monotonic)), f"in namespace {objects.namespace}"

    @asynccontextmanager
    async def everybody() -> AsyncGenerator[Viewers]:
        async with aclosing(ClusterJobs(objects, streams_of(objects.client))) as jobs:
            yield Everybody(jobs)

    return everybody(), f"in namespace {objects.namespace}"


async def _serve(
    viewers: AbstractAsyncContextManager[Viewers],
    listener: socket.socket,
    reach: Reach,
    connections: int,
) -> None:
    async with viewers as known:
        app = create_app(known, reach)
        server = server_of(app, connections)
        loop = asyncio.get_running_loop()

        def stop() -> None:
            server.should_exit = True
            app.state.live.end()

        loop.set_exception_handler(Complaints())
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, stop)
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
