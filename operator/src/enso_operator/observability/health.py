"""What a kubelet and Prometheus ask the operator: `/healthz`, `/readyz` and `/metrics`.

Checks run on the event loop, so that an operator whose loop stands still does not answer, which
is what a probe's timeout is for. `bootstrap` says what is checked; docs/operating.md lists it.

`/metrics` is a route of three lines instead of `prometheus_client.make_asgi_app`, which allows a
proxy to cache its answer, and whose format, and thereby names, depend on who asks.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Mapping
from typing import Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from enso_operator.kube.status.fields import one_line
from enso_operator.observability.metrics import Metrics
from enso_operator.serving.server import server_of

Check = Callable[[], str | None]
"""Returns None while all is well, else the sentence that says what is wrong. Must not block."""
STOP_SECONDS = 0.5
"""How long open requests have for their answers when the operator stops."""
MOST_CONNECTIONS = 50
"""To the port of the probes; the one that has waited longest for a request gives way to another."""
UNCACHED = {"Cache-Control": "no-store"}
_log = logging.getLogger(__name__)


class Checks(Protocol):
    """What is looked at, by name."""

    @property
    def liveness(self) -> Mapping[str, Check]:
        """What only a restart mends."""
        ...

    @property
    def readiness(self) -> Mapping[str, Check]:
        """What the operator cannot work without."""
        ...


def create_health_app(checks: Checks, metrics: Metrics) -> ASGIApp:
    """Return the ASGI application."""

    async def healthz(request: Request) -> Response:
        return _answer("healthz", checks.liveness, request)

    async def readyz(request: Request) -> Response:
        return _answer("readyz", checks.readiness, request)

    async def exposed(request: Request) -> Response:
        del request
        text, content_type = metrics.text()
        return Response(text, headers=UNCACHED, media_type=content_type)

    return Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", exposed),
        ]
    )


async def serve_health(app: ASGIApp, listener: socket.socket) -> None:
    """Serve until this is cancelled; then end within a second, and close the listener."""
    server = server_of(app, MOST_CONNECTIONS)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        await asyncio.wait({serving}, timeout=STOP_SECONDS)
        serving.cancel()
        await asyncio.wait({serving})


def _answer(what: str, checks: Mapping[str, Check], request: Request) -> Response:
    found = {name: _result(name, check) for name, check in checks.items()}
    wrong = {name: sentence for name, sentence in found.items() if sentence is not None}
    if "verbose" in request.query_params:
        lines = [
            f"[+]{name} ok" if sentence is None else f"[-]{name} failed: {sentence}"
            for name, sentence in found.items()
        ]
        lines.append(f"{what} check {'failed' if wrong else 'passed'}")
    else:
        lines = [f"{name}: {sentence}" for name, sentence in wrong.items()] or ["ok"]
    text = "".join(f"{line}\n" for line in lines)
    return Response(text, 503 if wrong else 200, UNCACHED, "text/plain")


def _result(name: str, check: Check) -> str | None:
    """Ask one check. Whatever it raises is its failure, and the others are asked all the same."""
    try:
        sentence = check()
    except Exception as error:  # noqa: BLE001  # as its docstring says
        _log.exception("the check %s broke", name)
        sentence = f"the check itself broke: {type(error).__name__}: {error}"
    return None if sentence is None else one_line(sentence)
