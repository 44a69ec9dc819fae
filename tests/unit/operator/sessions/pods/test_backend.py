"""Pods that are not ours, whatever labels somebody gave them, and those that were made late."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web

from enso_operator.kube.loop_client import LoopClient
from enso_operator.sessions.pods import pod_reaper
from enso_operator.sessions.pods.backend import LATE_SWEEPS, PodSessionBackend
from enso_operator.sessions.pods.logs import PodLogs
from enso_operator.settings import PodSettings
from job_execution_framework.service_layer.clock import SystemClock
from tests.support.answering import answering
from tests.support.eventually import until
from tests.support.pods import RUNNING, container, ended, pod

pytestmark = pytest.mark.anyio


def named(name: str, given: dict[str, Any], **more: str) -> dict[str, Any]:
    labels = {"enso.dev/job-uid": "1", **more}
    given["metadata"] |= {"uid": name, "name": name, "labels": labels}
    return given


async def test_a_strangers_pod_with_our_label_keeps_no_late_one_from_being_removed() -> None:
    asked: list[str] = []

    async def answers(request: web.Request) -> web.Response:
        asked.append(f"{request.method} {request.path}")
        code = 403 if request.path.endswith("/refused") else 404
        return web.json_response({"message": "no"}, status=code)

    async with answering(answers) as configuration:
        client = LoopClient(configuration)
        machine = PodSessionBackend(
            client,
            PodLogs(configuration),
            PodSettings(records_image="enso"),
            SystemClock(),
        )
        kept_up = pod(session=ended(), phase="Running")
        kept_up["status"]["containerStatuses"].append(container("proxy", RUNNING))
        machine.on_event("ADDED", named("stranger", pod(gated=True)))
        machine.on_event("ADDED", named("kept-up", kept_up))
        for name in ("refused", "late"):
            machine.on_event("ADDED", named(name, pod(gated=True), **{"enso.dev/job": "shot"}))
        for _ in range(LATE_SWEEPS):
            await machine.tidy([], [])
        await client.close_connections()
    assert [call for call in asked if call.startswith("DELETE")] == [
        "DELETE /api/v1/namespaces/shows/pods/refused",
        "DELETE /api/v1/namespaces/shows/pods/late",
    ]
    assert not [call for call in asked if "stranger" in call or "kept-up" in call]


@pytest.mark.parametrize("is_closed", [False, True])
async def test_a_pod_that_is_kept_up_is_ended_unless_the_operator_stops_before(
    monkeypatch: pytest.MonkeyPatch, *, is_closed: bool
) -> None:
    monkeypatch.setattr(pod_reaper, "LINGER_SECONDS", 0.05)
    asked: list[str] = []

    async def answers(request: web.Request) -> web.Response:
        asked.append(request.method)
        return web.json_response({"message": "no such job"}, status=404)

    async with answering(answers) as configuration:
        client = LoopClient(configuration)
        settings = PodSettings(records_image="enso")
        machine = PodSessionBackend(client, PodLogs(configuration), settings, SystemClock())
        kept_up = pod(session=ended(), phase="Running")
        kept_up["status"]["containerStatuses"].append(container("proxy", RUNNING))
        machine.on_event("ADDED", named("kept-up", kept_up, **{"enso.dev/job": "shot"}))
        if is_closed:
            await machine.close()
            await asyncio.sleep(0.2)
        else:
            await asyncio.to_thread(until, lambda: "PATCH" in asked)
            await machine.close()
        await client.close_connections()
    assert asked == ([] if is_closed else ["GET", "PATCH"])
