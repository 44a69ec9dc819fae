"""A Pod that a job is just opening is no late one, and is not read again when it is followed."""

from __future__ import annotations

import gc
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from enso_operator.api.document import Document
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.kube.loop_client import LoopClient
from enso_operator.manifests.to_domain import job_definition
from enso_operator.sessions.pods.backend import LATE_SWEEPS, PodSessionBackend
from enso_operator.sessions.pods.logs import PodLogs
from enso_operator.sessions.pods.sessions import PodSessions
from enso_operator.settings import PodSettings
from job_execution_framework.domain.row import Row
from job_execution_framework.service_layer.clock import SystemClock
from job_execution_framework.service_layer.plan import Plan
from tests.support.answering import answering
from tests.support.resources import of_scripts

pytestmark = pytest.mark.anyio
JOB = of_scripts({})
METADATA = {
    "namespace": "shows",
    "uid": "job-uid",
    "resourceVersion": "1",
    "creationTimestamp": "2026-11-30T12:00:00Z",
}


@dataclass
class ApiServer:
    """Creates a Pod, which the watch shows, for a job that has not committed to it."""

    backend: PodSessionBackend = field(init=False)
    pod: Document | None = None
    calls: list[str] = field(default_factory=list[str])

    async def answer(self, request: web.Request) -> web.Response:
        self.calls.append(request.method)
        document: Document = await request.json() if request.can_read_body else self.pod or JOB
        if request.method == "POST":
            stored = {"uid": "pod-uid", "namespace": "shows", "resourceVersion": "1"}
            document["metadata"] |= stored
        if document.get("kind") == "Pod":
            self.backend.on_event("ADDED", document)
            self.pod = document
        return web.json_response(document)


@asynccontextmanager
async def api_server() -> AsyncGenerator[ApiServer]:
    server = ApiServer()
    async with answering(server.answer) as configuration:
        settings = PodSettings(records_image="enso", session_image="enso")
        client = LoopClient(configuration)
        given = client, PodLogs(configuration), settings, SystemClock()
        server.backend = PodSessionBackend(*given)
        yield server
        await client.close_connections()


async def opened(backend: PodSessionBackend) -> PodSessions:
    ensojob = EnsoJobObject(JOB | {"metadata": JOB["metadata"] | METADATA})
    sessions, definition = backend.sessions(ensojob), job_definition(ensojob.resource)
    plan = Plan(
        *(ensojob.name, "main-1", definition.sessions[0], definition.scripts),
        *(("script-0",), {"script-0": Row()}),
    )
    assert await sessions.open(plan) == "pod-uid"
    return sessions


async def sweep_often(backend: PodSessionBackend) -> None:
    for _ in range(2 * LATE_SWEEPS):
        await backend.tidy([], [])


async def test_it_stays_as_long_as_its_job_may_still_commit_to_it() -> None:
    async with api_server() as server:
        sessions = await opened(server.backend)
        await sweep_often(server.backend)
        assert "DELETE" not in server.calls
        await sessions.reap(0)  # the job is not driven any more
        await sweep_often(server.backend)
    assert server.calls.count("DELETE") == 1


async def test_it_goes_where_whoever_opened_it_broke() -> None:
    async with api_server() as server:
        await opened(server.backend)  # nobody holds its sessions
        gc.collect()
        await sweep_often(server.backend)
    assert server.calls.count("DELETE") == 1


async def test_what_the_watch_has_shown_of_it_is_not_read_again() -> None:
    async with api_server() as server:
        sessions = await opened(server.backend)
        async with aclosing(sessions.follow("main-1", "pod-uid")) as following:
            await anext(following)
        assert server.calls.count("GET") == 0
        async with aclosing(sessions.follow("main-1", "pod-uid")) as following:
            await anext(following)  # nobody has seen it since
        assert server.calls.count("GET") == 1
