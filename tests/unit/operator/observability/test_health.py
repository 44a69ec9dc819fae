"""What probes and Prometheus are told, and that the server comes and goes with its task."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from httpx2 import ASGITransport, AsyncClient, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from enso_operator.observability.health import Check, create_health_app, serve_health
from enso_operator.observability.metrics import Metrics
from enso_operator.serving.server import listen, readable

pytestmark = pytest.mark.anyio


@dataclass
class Looked:
    """The checks of a test."""

    liveness: Mapping[str, Check] = field(default_factory=dict[str, Check])
    readiness: Mapping[str, Check] = field(default_factory=dict[str, Check])


def well() -> None:
    """Find nothing wrong."""


def broken() -> str:
    raise ZeroDivisionError("of course\n[+]all ok")


BAD: Mapping[str, Check] = {
    "watch": lambda: "nothing was heard of the API server for 95 s",
    "actors": well,
    "crds": lambda: "a CRD is missing\nreadyz check passed",
}


async def ask(path: str, checks: Looked) -> Response:
    app = create_health_app(checks, Metrics())
    async with AsyncClient(transport=ASGITransport(app), base_url="http://operator") as client:
        return await client.get(path)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_probes_answer_200_when_no_check_fails(path: str) -> None:
    looked = Looked({"loop": well}, {"loop": well})
    answer = await ask(path, looked)
    assert (answer.status_code, answer.text) == (200, "ok\n")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert (await ask(path, Looked())).status_code == 200


async def test_each_failing_check_is_one_line() -> None:
    answer = await ask("/readyz", Looked(readiness=BAD))
    assert answer.status_code == 503
    assert answer.text == (
        "watch: nothing was heard of the API server for 95 s\n"
        "crds: a CRD is missing readyz check passed\n"
    )
    assert (await ask("/healthz", Looked(readiness=BAD))).status_code == 200


async def test_verbose_lists_every_check_as_kubernetes_does() -> None:
    answer = await ask("/readyz?verbose", Looked(readiness=BAD))
    assert answer.status_code == 503
    assert answer.text == (
        "[-]watch failed: nothing was heard of the API server for 95 s\n"
        "[+]actors ok\n"
        "[-]crds failed: a CRD is missing readyz check passed\n"
        "readyz check failed\n"
    )
    answer = await ask("/healthz?verbose=1", Looked({"loop": well}))
    assert (answer.status_code, answer.text) == (200, "[+]loop ok\nhealthz check passed\n")


async def test_a_check_that_breaks_is_one_that_fails() -> None:
    answer = await ask("/healthz?verbose", Looked({"odd": broken, "loop": well}))
    assert answer.status_code == 503
    assert answer.text == (
        "[-]odd failed: the check itself broke: ZeroDivisionError: of course [+]all ok\n"
        "[+]loop ok\n"
        "healthz check failed\n"
    )


async def test_metrics_are_what_prometheus_reads() -> None:
    answer = await ask("/metrics", Looked())
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "\nenso_live_jobs 0.0\n" in answer.text
    assert (await ask("/other", Looked())).status_code == 404


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncGenerator[tuple[str, asyncio.Task[None]]]:
    listener = listen("127.0.0.1", 0)
    where = readable(listener)
    task = asyncio.create_task(serve_health(app, listener))
    yield where, task
    async with asyncio.timeout(60):  # against hangs
        if not task.done():
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert listener.fileno() == -1, "the listener is closed"
    host, port = where.split(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)))


async def test_a_server_leaves_signals_alone_and_ends_with_its_task() -> None:
    tasks = asyncio.all_tasks()
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    app = create_health_app(Looked(readiness={"loop": well}), Metrics())
    async with served(app) as (where, task), AsyncClient() as client:
        answer = await client.get(f"http://{where}/readyz")  # and the connection stays open
        assert answer.text == "ok\n"
        assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == handlers
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert asyncio.all_tasks() == tasks


async def test_clients_that_never_finish_keep_nothing_alive() -> None:
    asked = asyncio.Event()

    async def hangs(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive, send
        asked.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()

    async with served(hangs) as (where, _):
        host, port = where.split(":")
        half, whole = [await asyncio.open_connection(host, int(port)) for _ in range(2)]
        half[1].write(b"GET /readyz HTTP/1.1\r\n")
        whole[1].write(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
        await asked.wait()
    for _, writer in (half, whole):
        writer.close()
